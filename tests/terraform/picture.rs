//! The picture in the README of the plan of a token that is due.

use jiff::Timestamp;
use terraform_provider_claude::clock;

use super::stack::{PRIMARY, SPARES, Stack, days, stamp};
use crate::support::secrets::token;
use crate::support::{lacks, picture};

const COLUMNS: usize = 100;

/// Where the picture begins: what is before it are the steps of the refresh and a legend.
const BEGINNING: &str = "Terraform will perform";

#[tokio::test]
async fn it_shows_what_a_plan_shows() {
    let mut stack = Stack::start("picture").await;
    if lacks("plans as a recent Terraform draws them", |host| {
        host.actions
    }) {
        return;
    }
    let now = Timestamp::from_second(clock::now().as_second()).unwrap();
    for (path, seed, age) in [
        (PRIMARY, "primary", 341),
        (SPARES[0], SPARES[0], 41),
        (SPARES[1], SPARES[1], 1),
    ] {
        stack
            .set_metadata(path, stamp(&token(seed), now - days(age)))
            .await;
    }
    stack.applied(include_str!(
        "../../examples/resources/claude_token_spare_pool/resource.tf"
    ));
    stack.workspace.set("TF_CLI_ARGS", "");
    let plan = stack.workspace.run(["plan"]);
    plan.exits(0);
    let start = plan.stdout.find(BEGINNING).unwrap();
    picture::compare(
        "docs/pictures/due-plan.svg",
        &format!("$ terraform plan\n…\n{}", plan.stdout[start..].trim_end()),
        COLUMNS,
    );
}
