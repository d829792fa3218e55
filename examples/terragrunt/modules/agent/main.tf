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

variable "path" {
  description = "Path of the token."
  type        = string
}

data "claude_oauth_token" "agent" {
  path = var.path

  lifecycle {
    postcondition {
      condition     = self.fingerprint != null
      error_message = "There is no token to deliver: its status is ${self.status}."
    }
  }
}

locals {
  secret = "agent-${substr(data.claude_oauth_token.agent.fingerprint, 7, 8)}"
}

resource "kubernetes_manifest" "secret" {
  manifest = provider::claude::external_secret({
    name             = "agent"
    namespace        = "agents"
    target_name      = local.secret
    data             = data.claude_oauth_token.agent.external_secret_data
    reject_malformed = true
  })

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
