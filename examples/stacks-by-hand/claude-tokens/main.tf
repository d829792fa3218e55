# When each token was minted, in seconds since the epoch. Change the number with the token!

locals {
  lifetime_seconds = 365 * 24 * 3600

  minted = {
    # primary
    "claude-agent-service" = 1795338000
    # spares
    "claude-agent-service-spare-1" = 1795338060
    "claude-agent-service-spare-2" = 1795338150
  }

  expiry = { for path, minted in local.minted : path => minted + local.lifetime_seconds }
}

# Fails early if someone emptied the field.
data "vault_kv_secret_v2" "agent" {
  mount = "secret"
  name  = "claude-agent-service"
}

check "token_is_there" {
  assert {
    condition     = startswith(data.vault_kv_secret_v2.agent.data["claude_oauth_token"], "sk-ant-oat01-")
    error_message = "claude-agent-service holds no Claude token."
  }
}

resource "kubernetes_manifest" "expiry" {
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "claude-token-expiry", namespace = "monitoring" }
    data = {
      "expiry.txt" = join("", [for path, expiry in local.expiry : "${path} ${expiry}\n"])
    }
  }
}

resource "kubernetes_manifest" "expiry_monitor" {
  manifest = {
    apiVersion = "batch/v1"
    kind       = "CronJob"
    metadata   = { name = "claude-token-expiry", namespace = "monitoring" }
    spec = {
      schedule                   = "17 * * * *"
      concurrencyPolicy          = "Forbid"
      successfulJobsHistoryLimit = 1
      failedJobsHistoryLimit     = 3
      jobTemplate = {
        spec = {
          backoffLimit = 2
          template = {
            spec = {
              restartPolicy = "Never"
              containers = [
                {
                  name  = "push"
                  image = "curlimages/curl:8.16.0"
                  env = [
                    {
                      name  = "PUSHGATEWAY"
                      value = "http://pushgateway.monitoring.svc:9091"
                    },
                  ]
                  command = ["/bin/sh", "-c"]
                  args = [
                    <<-EOT
                      set -eu
                      {
                        echo "# TYPE claude_oauth_token_expiry_timestamp gauge"
                        while read -r path expiry; do
                          [ -n "$path" ] || continue
                          echo "claude_oauth_token_expiry_timestamp{path=\"$path\"} $expiry"
                        done </config/expiry.txt
                        echo "# TYPE claude_oauth_expiry_monitor_last_push_timestamp gauge"
                        echo "claude_oauth_expiry_monitor_last_push_timestamp $(date +%s)"
                      } >/tmp/metrics
                      curl --fail --silent --show-error --data-binary @/tmp/metrics \
                        "$PUSHGATEWAY/metrics/job/claude-token-expiry"
                    EOT
                  ]
                  resources = {
                    requests = { cpu = "10m", memory = "16Mi" }
                    limits   = { memory = "32Mi" }
                  }
                  volumeMounts = [
                    {
                      name      = "config"
                      mountPath = "/config"
                    },
                  ]
                },
              ]
              volumes = [
                {
                  name      = "config"
                  configMap = { name = "claude-token-expiry" }
                },
              ]
            }
          }
        }
      }
    }
  }
}
