unit "claude_tokens" {
  source = "../units/claude-tokens"
  path   = "claude-tokens"

  values = {
    path        = "claude-agent-service"
    spare_paths = ["claude-agent-service-spare-1", "claude-agent-service-spare-2"]
  }
}

unit "agent" {
  source = "../units/agent"
  path   = "agent"

  values = {
    path = "claude-agent-service"
  }
}
