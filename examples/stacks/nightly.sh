#!/usr/bin/env bash
# Plans each stack, shows what would change and the titles of warnings, and pushes the dates of all
# tokens.
#
#   nightly.sh claude-tokens agent reports chat
#
# Exit status: 0 if there is nothing to do, 2 if a stack would change, 1 if a stack cannot be
# planned or the metrics cannot be pushed.
#
#   TERRAFORM    the command that plans a stack; terragrunt by default
#   PROVIDER     the provider's binary; terraform-provider-claude by default
#   PUSHGATEWAY  address of the Prometheus Pushgateway; if unset, nothing is pushed
set -uo pipefail

# Without this, Terragrunt begins each line of a plan with the time.
export TG_TF_FORWARD_STDOUT=true

tokens=(claude-agent-service 'claude-agent-service-spare-{1,2}')
status=0

for stack in "$@"; do
  plan=$(cd "$stack" && "${TERRAFORM:-terragrunt}" plan \
    -detailed-exitcode -input=false -lock=false -no-color 2>&1)
  case $? in
    # A warning may be the only sign that a token is due.
    0) grep -E '^(│ )?Warning: ' <<<"$plan" | sed "s|^|$stack: |" ;;
    2)
      printf '%s:\n' "$stack"
      grep -E '^ *# .* (will|must) be |^Plan:|^(│ )?Warning: ' <<<"$plan"
      [ "$status" -eq 1 ] || status=2
      ;;
    *)
      printf '%s: no plan\n%s\n' "$stack" "$plan"
      status=1
      ;;
  esac
done

if [ -n "${PUSHGATEWAY:-}" ]; then
  # The same group as the former CronJob, so that no old dates remain in it.
  "${PROVIDER:-terraform-provider-claude}" status --metrics "${tokens[@]}" |
    curl --fail --silent --show-error --max-time 30 --data-binary @- \
      "$PUSHGATEWAY/metrics/job/claude-token-expiry" || status=1
fi

exit "$status"
