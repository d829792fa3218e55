import {
  to = claude_oauth_token.agent
  identity = {
    path = "claude-agent-service"
  }
}
