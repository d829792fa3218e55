resource "claude_token_spare_pool" "agent" {
  paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]

  # No spare may hold the token of this secret. Text, not a reference: the token may depend on the
  # pool, never the reverse.
  primary_path = "claude-agent-service"
}

# The token that the spares are for.
resource "claude_oauth_token" "agent" {
  path        = "claude-agent-service"
  spare_paths = claude_token_spare_pool.agent.paths
}

output "runway_until" {
  description = "After this instant no spare can help."
  value       = claude_token_spare_pool.agent.runway_until
}
