# Token, spares, and pods in one configuration. The apply that promotes a spare delivers its token
# and then restarts the pods. ESO keeps the Secret as it is if the value in Vault is not a token.
#
# The providers read VAULT_ADDR and KUBE_CONFIG_PATH.

terraform {
  required_providers {
    claude = {
      source = "terraform.local/claude-ops/claude"
    }
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

resource "claude_token_spare_pool" "agent" {
  paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]
  primary_path = "claude-agent-service"
}

resource "claude_oauth_token" "agent" {
  path        = "claude-agent-service"
  spare_paths = claude_token_spare_pool.agent.paths

  lifecycle {
    postcondition {
      condition     = contains(["in_date", "rotation_due"], self.status)
      error_message = "The token of the agents does not work: its status is ${self.status}."
    }
  }
}

locals {
  # A new token makes a new Secret, so no pod can start on the old token.
  secret = "agent-${substr(claude_oauth_token.agent.fingerprint, 7, 8)}"
}

resource "kubernetes_manifest" "secret" {
  manifest = provider::claude::external_secret({
    name             = "agent"
    namespace        = "agents"
    refresh_interval = "15m"
    target_name      = local.secret
    data             = claude_oauth_token.agent.external_secret_data
    reject_malformed = true

    secret_annotations = {
      "example.com/claude-token" = "sha256:{{ .CLAUDE_CODE_OAUTH_TOKEN | sha256sum }}"
    }
    secret_labels = { app = "agent" }
  })

  # Until ESO has written the Secret.
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
