# Takes over what is in Vault. Once applied, this file may go.

import {
  to = claude_oauth_token.agent
  id = "secret/claude-agent-service"
}

import {
  to = claude_token_spare_pool.agent
  id = "secret/claude-agent-service-spare-{1,2}"
}
