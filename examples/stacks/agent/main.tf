data "claude_oauth_token" "agent" {
  path = "claude-agent-service"

  lifecycle {
    postcondition {
      condition     = self.fingerprint != null
      error_message = "There is no token to deliver: its status is ${self.status}."
    }
  }
}

locals {
  # A new token makes a new Secret, so no pod can start on the old token.
  secret = "agent-${substr(data.claude_oauth_token.agent.fingerprint, 7, 8)}"
}

resource "kubernetes_manifest" "secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = "agent", namespace = "agents" }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = local.secret }
      data = [
        {
          secretKey = "API_BEARER_TOKEN"
          remoteRef = { key = "claude-agent-service", property = "api_bearer_token" }
        },
        data.claude_oauth_token.agent.external_secret_data[0],
      ]
    }
  }

  # Until the operator has written the Secret.
  wait {
    fields = {
      "status.binding.name" = "^${local.secret}$"
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
              name = local.secret
            }
          }
        }
      }
    }
  }

  depends_on = [kubernetes_manifest.secret]
}
