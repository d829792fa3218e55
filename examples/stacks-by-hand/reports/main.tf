resource "kubernetes_manifest" "secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = "reports", namespace = "agents" }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = "reports" }
      data = [
        {
          secretKey = "API_BEARER_TOKEN"
          remoteRef = { key = "claude-agent-service", property = "api_bearer_token" }
        },
        {
          secretKey = "CLAUDE_CODE_OAUTH_TOKEN"
          remoteRef = { key = "claude-agent-service", property = "claude_oauth_token" }
        },
      ]
    }
  }
}

resource "kubernetes_deployment_v1" "reports" {
  metadata {
    name      = "reports"
    namespace = "agents"
  }

  spec {
    selector {
      match_labels = { app = "reports" }
    }

    template {
      metadata {
        labels = { app = "reports" }
      }

      spec {
        container {
          name  = "reports"
          image = "registry.example.com/reports:1"

          env_from {
            secret_ref {
              name = "reports"
            }
          }
        }
      }
    }
  }
}
