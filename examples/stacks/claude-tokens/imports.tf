# Imports the existing tokens. You can delete this file after the apply.

import {
  to = claude_oauth_token.agent
  id = "secret/claude-agent-service"
}

import {
  to = claude_token_spare_pool.agent
  id = "secret/claude-agent-service-spare-{1,2}"
}
