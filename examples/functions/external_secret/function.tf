# The manifest of an ExternalSecret: for kubernetes_manifest as it is, or as YAML.
locals {
  external_secret = provider::claude::external_secret({
    name      = "claude-agent"
    namespace = "agents"
    data      = provider::claude::external_secret_data("claude-agent-service", null, null)

    # All of these may be left out.
    store_name       = "vault-kv"
    store_kind       = "ClusterSecretStore"
    refresh_interval = "15m"
    target_name      = "claude-agent-token"
    annotations      = { "example.com/owner" = "agents" }
  })
}

output "manifest" {
  value = yamlencode(local.external_secret)
}
