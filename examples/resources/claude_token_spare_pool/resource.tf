resource "claude_token_spare_pool" "agent" {
  paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]

  # No spare may hold this secret's token. Use a plain string, not a reference: the token may depend
  # on the pool, but the pool must not depend on the token.
  primary_path = "claude-agent-service"
}

# The token that the spares replace.
resource "claude_oauth_token" "agent" {
  path        = "claude-agent-service"
  spare_paths = claude_token_spare_pool.agent.paths
}

output "runway_until" {
  description = "After this time, no spare can help."
  value       = claude_token_spare_pool.agent.runway_until
}
