# Quote the id, because a shell expands braces. {1..5} matches five spares, {a,b} two.
terraform import claude_token_spare_pool.agent 'secret/claude-agent-service-spare-{1,2}'
