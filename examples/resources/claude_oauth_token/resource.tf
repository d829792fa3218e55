# Adopts the token that is in secret/claude-agent-service, field claude_oauth_token. When it is due,
# an apply copies the token of a spare into its place.
resource "claude_oauth_token" "agent" {
  path = "claude-agent-service"

  spare_paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]
}

# A token that was minted just now, for a secret that has none yet. The value is in neither plan nor
# state: give it as TF_VAR_new_token in the run that stores it, and leave it out afterwards.
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

# The entries of spec.data for a kubernetes_manifest with an ExternalSecret, known at plan.
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
