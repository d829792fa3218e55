import {
  to = claude_token_spare_pool.agent
  identity = {
    paths = [
      "claude-agent-service-spare-1",
      "claude-agent-service-spare-2",
    ]
  }
}
