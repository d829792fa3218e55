//! Functions in configurations, without a provider block and without Vault.

mod crd;
mod template;
mod validation;

use serde_json::{Value, json};

use super::stack::{AGENT, AGENT_BLOCK, PRIMARY, Stack, change, text};
use crate::support::terraform::{Told, Workspace};

/// A neighbour whose id only the apply tells.
const NEIGHBOUR: &str = "resource \"terraform_data\" \"neighbour\" {}\n";

fn output(name: &str, value: &str) -> String {
    format!("output {name:?} {{\n  value = {value}\n}}\n")
}

fn entry(key: &str, path: &str, property: &str) -> Value {
    json!({ "secretKey": key, "remoteRef": { "key": path, "property": property } })
}

/// Returns what a saved plan leaves unknown of an output.
fn unknown_output<'p>(plan: &'p Value, name: &str) -> &'p Value {
    &plan["output_changes"][name]["after_unknown"]
}

#[tokio::test]
async fn the_mapping_is_that_of_the_resource() {
    let stack = Stack::start("function-mapping").await;
    let both = format!(
        "{AGENT_BLOCK}{}{}",
        output("one", &format!("{AGENT}.external_secret_data")),
        output(
            "other",
            "provider::claude::external_secret_data(\"claude-agent-service\", null, null)"
        ),
    );
    stack.write(&both);
    stack.workspace.plan().exits(2);
    let plan = stack.workspace.show_json("saved.tfplan");
    let changes = &plan["output_changes"];
    assert_eq!(changes["one"], changes["other"]);
    let mapping = json!([entry(
        "CLAUDE_CODE_OAUTH_TOKEN",
        PRIMARY,
        "claude_oauth_token"
    )]);
    assert_eq!(changes["one"]["after"], mapping);
    stack.workspace.apply_saved().exits(0);
    let outputs = stack.workspace.run(["output", "-json"]).exits(0).json();
    // Value and type.
    assert_eq!(outputs["one"], outputs["other"]);
}

#[test]
fn the_mapping_is_as_known_as_its_arguments() {
    let workspace = Workspace::new("function-unknown");
    let call = |arguments: &str| format!("provider::claude::external_secret_data({arguments})");
    let outputs = [
        output(
            "path",
            &call("terraform_data.neighbour.id, \"field\", \"KEY\""),
        ),
        output(
            "field",
            &call("\"agent\", terraform_data.neighbour.id, null"),
        ),
        output("key", &call("\"agent\", null, terraform_data.neighbour.id")),
    ];
    workspace.configure(&format!("{NEIGHBOUR}{}", outputs.concat()));
    workspace.plan().exits(2);
    let plan = workspace.show_json("saved.tfplan");
    for (name, unknown) in [
        ("path", json!([{ "remoteRef": { "key": true } }])),
        ("field", json!([{ "remoteRef": { "property": true } }])),
        ("key", json!([{ "secretKey": true, "remoteRef": {} }])),
    ] {
        assert_eq!(unknown_output(&plan, name), &unknown, "{name}");
    }
    workspace.apply_saved().exits(0);
    workspace.plan().changes_nothing();
    let outputs = workspace.run(["output", "-json"]).exits(0).json();
    let id =
        workspace.state_json()["values"]["root_module"]["resources"][0]["values"]["id"].clone();
    assert_eq!(
        outputs["path"]["value"],
        json!([entry("KEY", text(&id), "field")])
    );
}

/// Arguments of `external_secret`, from the least to the most that one has.
const SPECS: [(&str, &str); 6] = [
    ("least", "data = local.token"),
    (
        "nulls",
        "data = local.token, store_name = null, store_kind = null, refresh_interval = null, \
         refresh_policy = null, target_name = null, annotations = null, secret_annotations = null, \
         secret_labels = null, reject_malformed = null",
    ),
    (
        "guarded",
        "data = concat(local.token, [{ secretKey = \"OTHER\", remoteRef = { key = \"agent\", property = \"other\" } }]), \
         refresh_policy = \"OnChange\", refresh_interval = \"0\", annotations = { token = \"1\" }, reject_malformed = true, \
         secret_labels = { app = \"agent\" }, secret_annotations = { \"example.com/claude-token\" = \
         \"sha256:{{ .CLAUDE_CODE_OAUTH_TOKEN | sha256sum }}\" }",
    ),
    (
        "most",
        "store_name = \"team.vault\", store_kind = \"SecretStore\", refresh_interval = \"90m\", \
         target_name = \"agent-token\", annotations = { \"a.b/c\" = \"d\", token = terraform_data.neighbour.id }, \
         data = concat(local.token, [{ secretKey = \"API_BEARER_TOKEN\", remoteRef = { key = \"agent\", property = \"bearer\", \
         version = \"3\", metadataPolicy = \"Fetch\", conversionStrategy = \"Unicode\", decodingStrategy = \"Auto\", \
         nullBytePolicy = \"Fail\" }, sourceRef = { storeRef = { name = \"other\", kind = \"SecretStore\" } } }])",
    ),
    (
        // What only the apply tells, and then is nothing.
        "late",
        "data = local.token, store_name = local.late, store_kind = local.late, refresh_interval = \
         local.late, refresh_policy = local.late, target_name = local.late, annotations = { token = local.late }",
    ),
    (
        // What a module makes of a variable with optional attributes.
        "typed",
        "refresh_interval = \"0\", data = tolist([for key in [\"A\", \"B\"] : { secretKey = key, remoteRef = \
         { key = \"agent\", property = key, version = tostring(null) } }])",
    ),
];

/// Writes a resource that holds each manifest, as `kubernetes_manifest` would.
fn manifests() -> String {
    let locals = "locals {\n  token = provider::claude::external_secret_data(\"claude-agent-service\", null, null)\n  late  = terraform_data.neighbour.id == \"\" ? \"x\" : null\n}\n";
    let each = SPECS.map(|(name, rest)| {
        format!(
            "resource \"terraform_data\" {name:?} {{\n  input = provider::claude::external_secret({{ \
             name = \"claude-agent\", namespace = \"agents\", {rest} }})\n}}\n{}",
            output(name, &format!("terraform_data.{name}.output"))
        )
    });
    format!("{NEIGHBOUR}{locals}{}", each.concat())
}

#[test]
fn manifests_are_known_at_plan_and_taken_by_the_api() {
    let workspace = Workspace::new("function-manifests");
    workspace.configure(&manifests());
    workspace.plan().exits(2);
    let plan = workspace.show_json("saved.tfplan");
    for (name, _) in SPECS {
        let unknown = &change(&plan, &format!("terraform_data.{name}"))["after_unknown"]["input"];
        let late = match name {
            "most" => 1,
            "late" => 6,
            _ => 0,
        };
        assert_eq!(
            unknown.to_string().matches("true").count(),
            late,
            "{unknown}"
        );
        if late > 0 {
            let annotations = json!({ "token": true });
            assert_eq!(unknown["metadata"]["annotations"], annotations, "{name}");
        }
    }
    workspace.apply_saved().exits(0);
    workspace.plan().changes_nothing();
    let outputs = workspace.run(["output", "-json"]).exits(0).json();
    for (name, _) in SPECS {
        let manifest = &outputs[name]["value"];
        assert_eq!(crd::violations(manifest), [""; 0], "{name}: {manifest:#}");
    }
    let least = &outputs["least"]["value"];
    assert_eq!(least, &outputs["nulls"]["value"]);
    let mut late = outputs["late"]["value"].clone();
    let annotations = late["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    assert_eq!(annotations, Some(json!({ "token": null })));
    assert_eq!(*least, late);
    assert_eq!(
        *least,
        json!({
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": { "name": "claude-agent", "namespace": "agents" },
            "spec": {
                "refreshInterval": "1h0m0s",
                "refreshPolicy": "Periodic",
                "secretStoreRef": { "kind": "ClusterSecretStore", "name": "vault-kv" },
                "target": { "name": "claude-agent" },
                "data": [entry("CLAUDE_CODE_OAUTH_TOKEN", PRIMARY, "claude_oauth_token")],
            },
        })
    );
    let most = &outputs["most"]["value"]["spec"];
    assert_eq!(most["refreshInterval"], "90m");
    assert_eq!(most["data"][1]["remoteRef"]["metadataPolicy"], "Fetch");
    assert_eq!(most["data"][1]["sourceRef"]["storeRef"]["name"], "other");
}

/// Calls that are wrong, the parameter that the error names, and what it says.
const WRONG: [(&str, &str, &str); 23] = [
    (
        "external_secret_data(\"/agent\", null, null)",
        "path",
        "The path starts with `/`. Write it as `vault kv list` shows it",
    ),
    (
        "external_secret_data(\"a//b\", null, null)",
        "path",
        "Segment 2 of the path is empty",
    ),
    (
        "external_secret_data(null, null, null)",
        "path",
        "argument must not be null.",
    ),
    (
        "external_secret_data(\"agent\", \"\", null)",
        "field",
        "The field is empty.",
    ),
    (
        "external_secret_data(\"agent\", null, \"A B\")",
        "secret_key",
        "Character 2 of the key is ' '",
    ),
    (
        "external_secret_data(\"agent\", null, [])",
        "secret_key",
        "string required",
    ),
    (
        "external_secret(null)",
        "spec",
        "argument must not be null.",
    ),
    (
        "external_secret(\"agent\")",
        "spec",
        "An object is required, with name, namespace, data, store_name",
    ),
    (
        "external_secret({ name = \"a\", namespace = \"b\" })",
        "spec",
        "data is missing.",
    ),
    (
        "external_secret({ name = \"a\", namespace = null, data = [] })",
        "spec",
        "namespace is missing.",
    ),
    (
        "external_secret(merge(local.good, { refreshInterval = \"1h\" }))",
        "spec",
        "There is no attribute `refreshInterval`. Did you mean `refresh_interval`?",
    ),
    (
        "external_secret(merge(local.good, { labels = {} }))",
        "spec",
        "There is no attribute `labels`. The attributes are name,",
    ),
    (
        "external_secret(merge(local.good, { name = \"Agent\" }))",
        "spec",
        "name: The name must have only lowercase letters",
    ),
    (
        "external_secret(merge(local.good, { namespace = \"a.b\" }))",
        "spec",
        "namespace: The name must have only lowercase letters",
    ),
    (
        "external_secret(merge(local.good, { store_kind = \"Store\" }))",
        "spec",
        "store_kind: store_kind must be `ClusterSecretStore` or `SecretStore`.",
    ),
    (
        "external_secret(merge(local.good, { refresh_interval = \"1d\" }))",
        "spec",
        "refresh_interval: Write an interval in hours, minutes, and seconds",
    ),
    (
        "external_secret(merge(local.good, { annotations = { a = 1 } }))",
        "spec",
        "annotations[\"a\"]: A string is required.",
    ),
    (
        "external_secret(merge(local.good, { data = [local.good.data] }))",
        "spec",
        "data[0]: An object is required. Join lists with concat",
    ),
    (
        "external_secret(merge(local.good, { data = concat(local.good.data, local.good.data) }))",
        "spec",
        "data[1].secretKey: An earlier entry has the same key",
    ),
    (
        "external_secret(merge(local.good, { annotations = { a = \"b\" }, refresh_interval = \"0s\" }))",
        "spec",
        "refresh_interval: With an interval of 0, the operator reads the secret once",
    ),
    (
        "external_secret(merge(local.good, { annotations = { a = \"b\" }, refresh_policy = \"CreatedOnce\" }))",
        "spec",
        "refresh_policy: With `CreatedOnce`, the operator reads the secret once",
    ),
    (
        "external_secret(merge(local.good, { data = [{ secretKey = \"A\", remoteRef = { key = \"a\", property = \"claude_oauth_token\", decodingStrategy = \"Auto\" } }] }))",
        "spec",
        "data[0].remoteRef.decodingStrategy: Every Claude token is also valid Base64URL",
    ),
    ("token_check([])", "token", "string required"),
];

#[test]
fn a_wrong_argument_is_named_with_what_is_wrong() {
    let workspace = Workspace::new("function-wrong");
    let locals = "locals {\n  good = { name = \"a\", namespace = \"b\", data = provider::claude::external_secret_data(\"agent\", null, null) }\n}\n";
    let outputs = WRONG.map(|(call, ..)| output("o", &format!("provider::claude::{call}")));
    let outputs = (0..)
        .zip(outputs)
        .map(|(number, output): (usize, _)| output.replacen("\"o\"", &format!("\"o{number}\""), 1));
    workspace.configure(&format!("{locals}{}", outputs.collect::<String>()));
    let run = workspace.run(["plan", "-json"]);
    run.exits(1);
    let told: Vec<Told> = run
        .told()
        .into_iter()
        .filter(|told| told.is_error)
        .collect();
    for (call, parameter, detail) in WRONG {
        let place = format!("Invalid value for \"{parameter}\" parameter: {detail}");
        assert!(
            told.iter()
                .any(|told| told.summary == "Invalid function argument"
                    && told.code.contains(call)
                    && told.detail.starts_with(&place)),
            "{call}: {place}\n{}",
            told.iter()
                .map(|told| format!("{}\n  {}\n", told.code, told.detail))
                .collect::<String>()
        );
    }
    assert_eq!(told.len(), WRONG.len());
    // The host ends the sentence.
    assert!(told.iter().all(|told| !told.detail.ends_with("..")));
}
