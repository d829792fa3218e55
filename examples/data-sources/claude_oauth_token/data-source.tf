# A token that another stack manages.
data "claude_oauth_token" "agent" {
  path = "claude-agent-service"

  lifecycle {
    postcondition {
      condition     = contains(["in_date", "rotation_due"], self.status)
      error_message = "The token at ${self.id} is ${self.status}."
    }
  }
}

# For a kubernetes_manifest with an ExternalSecret. The fingerprint as an annotation makes the
# operator deliver a new token immediately. It changes only with the token.
output "external_secret" {
  value = {
    metadata = {
      annotations = { "claude/fingerprint" = data.claude_oauth_token.agent.fingerprint }
    }
    spec = {
      data = data.claude_oauth_token.agent.external_secret_data
    }
  }
}
