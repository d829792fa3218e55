# The manifest of an ExternalSecret, for kubernetes_manifest or as YAML.
locals {
  external_secret = provider::claude::external_secret({
    name      = "claude-agent"
    namespace = "agents"
    data      = provider::claude::external_secret_data("claude-agent-service", null, null)

    # The rest is optional.
    store_name       = "vault-kv"
    store_kind       = "ClusterSecretStore"
    refresh_interval = "15m"
    refresh_policy   = "Periodic"
    target_name      = "claude-agent-token"
    annotations      = { "example.com/owner" = "agents" }

    # For the Secret. The operator fills in templates.
    secret_annotations = {
      "example.com/claude-token" = "sha256:{{ .CLAUDE_CODE_OAUTH_TOKEN | sha256sum }}"
    }
    secret_labels    = { "example.com/owner" = "agents" }
    reject_malformed = true
  })
}

output "manifest" {
  value = yamlencode(local.external_secret)
}
