data "claude_oauth_token" "agent" {
  path = "claude-agent-service"
}

# Any other token than the expected one is an error. If a claude_oauth_token resource manages the
# token, use its fingerprint: the token is then read after a promotion in the same apply.
ephemeral "claude_oauth_token" "agent" {
  path        = "claude-agent-service"
  fingerprint = data.claude_oauth_token.agent.fingerprint
}

# Copies the token to where another team reads it, and again after each change, with its mint
# time. Any write-only argument accepts the token, and so does the configuration of a provider.
# The version follows the fingerprint, because kv_version also changes when another field changes.
resource "claude_oauth_token" "copy" {
  path             = "claude-agent-service-copy"
  token_wo         = ephemeral.claude_oauth_token.agent.token
  token_wo_version = parseint(substr(data.claude_oauth_token.agent.fingerprint, 7, 8), 16)
  token_minted_at  = data.claude_oauth_token.agent.minted_at
}
