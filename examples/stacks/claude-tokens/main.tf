# The token that the agents use, and its spares.

resource "claude_token_spare_pool" "agent" {
  paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]
  primary_path = "claude-agent-service"
}

resource "claude_oauth_token" "agent" {
  path        = "claude-agent-service"
  spare_paths = claude_token_spare_pool.agent.paths
}
