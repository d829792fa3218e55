# Promotes a spare to secret/claude-agent-service immediately:
#
#   terraform apply -invoke=action.claude_promote_spare.agent
action "claude_promote_spare" "agent" {
  config {
    path = "claude-agent-service"

    spare_paths = [
      "claude-agent-service-spare-1",
      "claude-agent-service-spare-2",
    ]
  }
}
