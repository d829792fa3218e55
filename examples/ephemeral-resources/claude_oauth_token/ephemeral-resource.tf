ephemeral "claude_oauth_token" "agent" {
  path = "claude-agent-service"
}

data "claude_oauth_token" "agent" {
  path = "claude-agent-service"
}

# Copies the token to where another team reads it, and again after each change, with the date that
# it was minted at. Any write-only argument takes the token, and so does the configuration of a
# provider; neither plan nor state has it.
resource "claude_oauth_token" "copy" {
  path             = "claude-agent-service-copy"
  token_wo         = ephemeral.claude_oauth_token.agent.token
  token_wo_version = data.claude_oauth_token.agent.kv_version
  token_minted_at  = data.claude_oauth_token.agent.minted_at
}
