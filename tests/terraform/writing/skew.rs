//! Clocks that differ: no token is promoted because of a date, and all else goes on.

use jiff::SignedDuration;

use super::super::stack::{AGENT, PRIMARY, PRIMARY_ID, SPARES, errors, fingerprint, warnings};
use super::{BOTH, aged, agent, marks, now};
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::token;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_is_answered_and_a_date_is_not() {
    for (hours, age) in [(2, 340), (-2, 366)] {
        let mut stack = aged("skew", age).await;
        stack.applied(&agent(BOTH));
        let before = stack.everything(PRIMARY).await;
        let ahead = Step::PassAhead(SignedDuration::from_hours(hours));
        let crooked = Proxy::before(stack.bao.address(), vec![ahead; 500]).await;
        stack.workspace.set("VAULT_ADDR", crooked.address());
        let plan = stack.workspace.plan();
        plan.exits(2)
            .says("Vault's clock and this machine's clock differ");
        let apply = stack.workspace.apply_saved();
        let summary = format!("Token {PRIMARY_ID} was not rotated");
        apply.says("more than an hour apart, so no token is promoted because of a date");
        if age < 365 {
            apply.exits(0);
            assert!(
                warnings(&apply).contains(&summary),
                "{}",
                apply.transcript()
            );
        } else {
            apply.exits(1);
            assert_eq!(errors(&apply), [summary]);
        }
        assert_eq!(stack.everything(PRIMARY).await, before);
        assert_eq!(marks(&stack, SPARES[0]).await, []);

        stack.write(&agent(&format!(
            "{BOTH}  rotate_when_changed = {{ leak = \"1\" }}\n"
        )));
        stack.apply();
        assert_eq!(
            stack.attributes(AGENT)["fingerprint"],
            fingerprint(&token(SPARES[0]))
        );
        // Marks have the time of the server.
        let noted = marks(&stack, SPARES[0]).await;
        let at: i64 = noted[0].1.split(' ').nth(2).unwrap().parse().unwrap();
        let ahead = at - now().as_second();
        assert!((ahead - hours * 3600).abs() < 300, "{ahead}");
    }
}
