# In quotes: a shell would expand the braces. {1..5} names five spares, {a,b} two.
terraform import claude_token_spare_pool.agent 'secret/claude-agent-service-spare-{1,2}'
