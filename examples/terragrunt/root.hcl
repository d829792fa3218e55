# What every unit gets: where its state is, and the provider.

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
    provider "claude" {}
  EOT
}

# Summaries of errors that pass by themselves.
errors {
  retry "vault" {
    retryable_errors = [
      "Vault cannot be reached",
      "Vault did not respond in time",
      "Vault has no active node",
      "Vault is sealed",
      "Vault rate limit exceeded",
    ]
    max_attempts       = 3
    sleep_interval_sec = 30
  }
}
