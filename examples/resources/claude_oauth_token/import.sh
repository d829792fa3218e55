# <mount>/<path>. Add #<field> if the field is not claude_oauth_token.
terraform import claude_oauth_token.agent secret/claude-agent-service
