# What every stack gets: the location of its state, and the providers that nearly all stacks use.

remote_state {
  backend = "pg"
  generate = {
    path      = "backend.tf"
    if_exists = "overwrite_terragrunt"
  }
  # Terraform and OpenTofu read PG_CONN_STR. As conn_str, it would be written to backend.tf.
  config = {
    schema_name = path_relative_to_include()
  }
}

generate "providers" {
  path      = "providers.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-EOT
    terraform {
      required_providers {
        kubernetes = {
          source = "hashicorp/kubernetes"
        }
        vault = {
          source = "hashicorp/vault"
        }
      }
    }

    provider "kubernetes" {
      config_path = "~/.kube/config"
    }

    provider "vault" {}
  EOT
}
