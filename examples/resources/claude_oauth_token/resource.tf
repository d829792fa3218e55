# Adopts the token in the field claude_oauth_token of secret/claude-agent-service. When it is due,
# an apply promotes a spare.
resource "claude_oauth_token" "agent" {
  path = "claude-agent-service"

  spare_paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]
}

# Stores a newly minted token in a secret that has none yet. The value is in neither the plan nor the
# state. Set TF_VAR_new_token for the run that stores the token, and leave it out afterward.
variable "new_token" {
  type      = string
  ephemeral = true
  default   = null
}

resource "claude_oauth_token" "review" {
  path             = "claude-review-service"
  token_wo         = var.new_token
  token_wo_version = 1
}

# The entries for spec.data of an ExternalSecret. They are known at plan.
output "external_secret_data" {
  value = concat(
    [
      {
        secretKey = "API_BEARER_TOKEN"
        remoteRef = { key = "claude-agent-service", property = "api_bearer_token" }
      },
    ],
    claude_oauth_token.agent.external_secret_data,
  )
}
