# Every token whose path begins with claude-agent-service.
data "claude_oauth_tokens" "agents" {
  path_prefix = "claude-agent-service"
}

# When each token expires.
output "expires_at" {
  value = { for token in data.claude_oauth_tokens.agents.tokens : token.path => token.expires_at }
}
