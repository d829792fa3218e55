//! What data sources refuse, each with what to do about it.

use serde_json::json;

use super::super::stack::{AGENT_BLOCK, PRIMARY_ID, Stack, actions, errors, fingerprint};
use super::{READER, is_quiet, limited};
use crate::support::secrets::token;

const ONE: &str = "data \"claude_oauth_token\" \"agent\" {\n  path = \"claude-agent-service\"\n}\n";
const MANY: &str = "data \"claude_oauth_tokens\" \"all\" {\n  path_prefix = \"claude-\"\n}\n";

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let stack = Stack::empty("data-arguments").await;
    let block = |kind: &str, index: usize, arguments: &str| {
        format!("data \"{kind}\" \"x{index}\" {{\n{arguments}\n}}\n")
    };
    let (one, many) = ("claude_oauth_token", "claude_oauth_tokens");
    let cases = [
        (one, "  path = \"/a\"", "Invalid path"),
        (one, "  path = null", "path is required"),
        (
            one,
            "  path = \"a\"\n  mount = \"secret/\"",
            "Invalid mount",
        ),
        (one, "  path = \"a\"\n  field = \"\"", "Invalid field"),
        (
            one,
            "  path = \"a\"\n  lifetime_days = 0.5",
            "Invalid number of days",
        ),
        (
            one,
            "  path = \"a\"\n  status = \"in_date\"",
            "Unexpected argument status",
        ),
        (many, "  tokens = []", "Unexpected argument tokens"),
        (many, "  path_prefix = \"a//b\"", "Invalid path_prefix"),
        (many, "  path_prefix = \"a*\"", "Invalid path_prefix"),
        (many, "  path_prefix = \"/\"", "Invalid path_prefix"),
        (
            many,
            "  lifetime_days = 10\n  rotate_before_days = 10",
            "Invalid number of days",
        ),
    ];
    let blocks = cases.iter().enumerate();
    let text: String = blocks
        .map(|(index, (kind, arguments, _))| block(kind, index, arguments))
        .collect();
    stack.write(&text);
    let before = stack.bao.requests().len();
    let run = stack.workspace.run(["validate", "-json"]);
    run.exits(1);
    let mut told: Vec<_> = run
        .told()
        .into_iter()
        .map(|told| (told.address, told.summary))
        .collect();
    told.sort();
    let mut expected: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(index, (kind, _, summary))| (format!("data.{kind}.x{index}"), (*summary).to_owned()))
        .collect();
    expected.sort();
    assert_eq!(told, expected);
    // A default and an argument that do not fit together show once the provider is there.
    stack.write(&block(one, 0, "  path = \"a\"\n  lifetime_days = 20"));
    let run = stack.workspace.plan();
    run.exits(1).says("lifetime_days = 20");
    assert_eq!(errors(&run), ["Invalid number of days"]);
    assert_eq!(stack.bao.requests().len(), before);
}

#[tokio::test]
async fn a_missing_right_is_an_error_with_the_lines_that_grant_it() {
    let mut stack = Stack::start("data-forbidden").await;
    limited(&mut stack, READER).await;
    stack.write(MANY);
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("Vault denied `list` on `secret/metadata/`")
        .says("path \"secret/metadata/\" { capabilities = [\"list\"] }");
    assert_eq!(errors(&plan), ["Vault denied access: secret/claude-*"]);

    limited(
        &mut stack,
        "path \"secret/metadata/\" { capabilities = [\"list\"] }",
    )
    .await;
    stack.write(ONE);
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("path \"secret/data/claude-agent-service\" { capabilities = [\"read\"] }");
    assert_eq!(
        errors(&plan),
        [format!("Vault denied access: {PRIMARY_ID}")]
    );
}

#[tokio::test]
async fn a_mount_that_is_no_kv_2_is_an_error() {
    let stack = Stack::start("data-mounts").await;
    stack
        .bao
        .must("POST", "sys/mounts/old", json!({ "type": "kv" }))
        .await;
    let agent = json!({ "claude_oauth_token": "x" });
    stack
        .bao
        .must("POST", "old/claude-agent-service", agent)
        .await;
    let mut text = String::new();
    let mut expected = Vec::new();
    for (mount, summary) in [
        ("old", "Mount is KV version 1"),
        ("cubbyhole", "Mount is not KV version 2"),
        ("nowhere", "Mount does not exist"),
    ] {
        for (block, what) in [
            (ONE, "claude-agent-service#claude_oauth_token"),
            (MANY, "claude-*"),
        ] {
            let block = block.replace("}\n", &format!("  mount = \"{mount}\"\n}}\n"));
            text += &block.replacen("\" {", &format!("-{mount}\" {{"), 1);
            expected.push(format!("{summary}: {mount}/{what}"));
        }
    }
    stack.write(&text);
    let plan = stack.workspace.plan();
    plan.exits(1);
    let mut told = errors(&plan);
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_provider_that_is_not_known_yet_is_an_error_that_says_so() {
    let mut stack = Stack::start("data-unknown").await;
    let source = format!(
        "resource \"terraform_data\" \"source\" {{\n  input = \"{}\"\n}}\n",
        stack.bao.address()
    );
    let days = "resource \"terraform_data\" \"source\" {\n  input = 20\n}\n".to_owned();
    stack.workspace.set("VAULT_ADDR", "http://127.0.0.1:1");
    for (argument, value, text, name) in [
        ("address", source.clone(), ONE, "data.claude_oauth_token"),
        ("address", source, MANY, "data.claude_oauth_tokens"),
        (
            "mount",
            "resource \"terraform_data\" \"source\" {\n  input = \"secret\"\n}\n".to_owned(),
            ONE,
            "data.claude_oauth_token",
        ),
        (
            "lifetime_days",
            days.clone(),
            ONE,
            "data.claude_oauth_token",
        ),
        ("rotate_before_days", days, MANY, "data.claude_oauth_tokens"),
    ] {
        stack.write_with_provider(
            &format!("  {argument} = terraform_data.source.output"),
            &format!("{value}{text}"),
        );
        let plan = stack.workspace.plan();
        plan.exits(1).says(&format!(
            "The provider's {argument} comes from a resource that is not applied yet. To read it \
             during the apply, add that resource to depends_on in this block."
        ));
        assert_eq!(
            errors(&plan),
            [format!(
                "Reading {name} needs the provider's {argument}, which is not known yet"
            )]
        );
    }
}

#[tokio::test]
async fn a_look_that_depends_on_a_change_waits_for_the_apply() {
    let stack = Stack::start("data-later").await;
    let block = format!(
        "{AGENT_BLOCK}data \"claude_oauth_token\" \"agent\" {{\n  path       = claude_oauth_token.agent.path\n  depends_on = [claude_oauth_token.agent]\n}}\n\
         resource \"terraform_data\" \"manifest\" {{\n  input = data.claude_oauth_token.agent.fingerprint\n}}\n"
    );
    stack.write(&block);
    stack.workspace.plan().exits(2);
    let plan = stack.workspace.show_json("saved.tfplan");
    assert_eq!(
        actions(&plan, "data.claude_oauth_token.agent"),
        json!(["read"])
    );
    stack.workspace.apply_saved().exits(0);
    is_quiet(&stack);

    // What an apply has written is what is looked at after it.
    let rotating = block.replacen(
        "claude-agent-service\"\n",
        "claude-agent-service\"\n  spare_paths         = [\"claude-agent-service-spare-1\"]\n  rotate_when_changed = { reason = \"leaked\" }\n",
        1,
    );
    stack.write(&rotating);
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        stack.attributes("terraform_data.manifest")["output"]["value"],
        fingerprint(&token("claude-agent-service-spare-1"))
    );
    is_quiet(&stack);
}
