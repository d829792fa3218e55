import {
  to = claude_token_spare_pool.agent
  id = "secret/claude-agent-service-spare-{1,2}"
}
