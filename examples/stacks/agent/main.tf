data "claude_oauth_token" "agent" {
  path = "claude-agent-service"
}

resource "kubernetes_manifest" "secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata = {
      name        = "agent"
      namespace   = "agents"
      annotations = { "example.com/claude-token" = data.claude_oauth_token.agent.fingerprint }
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = "agent" }
      data = [
        {
          secretKey = "API_BEARER_TOKEN"
          remoteRef = { key = "claude-agent-service", property = "api_bearer_token" }
        },
        data.claude_oauth_token.agent.external_secret_data[0],
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
        labels      = { app = "agent" }
        annotations = { "example.com/claude-token" = data.claude_oauth_token.agent.fingerprint }
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

  depends_on = [kubernetes_manifest.secret]
}
