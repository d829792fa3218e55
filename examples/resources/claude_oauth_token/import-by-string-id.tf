import {
  to = claude_oauth_token.agent
  id = "secret/claude-agent-service"
}
