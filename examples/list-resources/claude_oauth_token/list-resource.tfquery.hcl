# Finds every token in the folder team. To have blocks written that import them:
#
#   terraform query -generate-config-out=generated.tf
list "claude_oauth_token" "team" {
  provider = claude

  # With their dates, as an import would have them.
  include_resource = true

  config {
    path_prefix = "team/"
  }
}
