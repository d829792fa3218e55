#!/usr/bin/env bash
# Plans each stack and tells what would change.
#
#   nightly.sh claude-tokens agent reports chat
#
# Exit status: 0 where nothing is to be done, 2 where a stack would change, 1 where a stack cannot
# be planned.
#
#   TERRAFORM    what plans a stack; terragrunt without it
set -uo pipefail

# Without this, Terragrunt puts the time before each line of a plan.
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
