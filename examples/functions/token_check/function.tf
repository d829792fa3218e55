# Refuses what is no token before anything is planned. Give it as TF_VAR_new_token in the run that
# stores it, and leave it out afterwards: no token is nothing to refuse.
variable "new_token" {
  type      = string
  ephemeral = true
  default   = null

  validation {
    condition     = provider::claude::token_check(var.new_token).valid
    error_message = "new_token is no OAuth token. Run `claude setup-token` in a terminal of 300 columns and give what it prints."
  }
}

resource "claude_oauth_token" "review" {
  path             = "claude-review-service"
  token_wo         = var.new_token
  token_wo_version = 1
}
