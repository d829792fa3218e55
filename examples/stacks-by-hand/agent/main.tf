resource "kubernetes_manifest" "secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = "agent", namespace = "agents" }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = "agent" }
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

resource "kubernetes_deployment_v1" "agent" {
  metadata {
    name      = "agent"
    namespace = "agents"
  }

  spec {
    selector {
      match_labels = { app = "agent" }
    }

    template {
      metadata {
        labels = { app = "agent" }
      }

      spec {
        container {
          name  = "agent"
          image = "registry.example.com/agent:1"

          env_from {
            secret_ref {
              name = "agent"
            }
          }
        }
      }
    }
  }
}
