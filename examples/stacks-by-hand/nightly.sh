#!/usr/bin/env bash
# Plans each stack and prints what would change.
#
#   nightly.sh claude-tokens agent reports chat
#
# Exit status: 0 if there is nothing to do, 2 if a stack would change, 1 if a stack cannot be
# planned.
#
#   TERRAFORM    the command that plans a stack; terragrunt by default
set -uo pipefail

# Without this, Terragrunt begins each line of a plan with the time.
export TG_TF_FORWARD_STDOUT=true

status=0

for stack in "$@"; do
  plan=$(cd "$stack" && "${TERRAFORM:-terragrunt}" plan \
    -detailed-exitcode -input=false -lock=false -no-color 2>&1)
  case $? in
    0) ;;
    2)
      printf '%s:\n' "$stack"
      grep -E '^ *# .* (will|must) be |^Plan:' <<<"$plan"
      [ "$status" -eq 1 ] || status=2
      ;;
    *)
      printf '%s: no plan\n%s\n' "$stack" "$plan"
      status=1
      ;;
  esac
done

exit "$status"
