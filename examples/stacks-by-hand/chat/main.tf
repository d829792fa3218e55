resource "kubernetes_manifest" "secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = "chat", namespace = "agents" }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = "chat" }
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

resource "kubernetes_deployment_v1" "chat" {
  metadata {
    name      = "chat"
    namespace = "agents"
  }

  spec {
    selector {
      match_labels = { app = "chat" }
    }

    template {
      metadata {
        labels = { app = "chat" }
      }

      spec {
        container {
          name  = "chat"
          image = "registry.example.com/chat:1"

          env_from {
            secret_ref {
              name = "chat"
            }
          }
        }
      }
    }
  }
}
