use super::*;
use crate::protocol::{AttributePath, msgpack};
use crate::sdk::AttributeValue;

fn known(text: &str) -> Dynamic {
    Dynamic::text(Field::text(text))
}

fn unknown() -> Dynamic {
    Dynamic::text(Field::<String>::Unknown)
}

fn null() -> Dynamic {
    Dynamic::new(Type::Dynamic, Value::Null)
}

fn list(elements: impl IntoIterator<Item = Dynamic>) -> Dynamic {
    let (types, values) = elements
        .into_iter()
        .map(|element| {
            let ty = element.ty().clone();
            let value = match element.into_value() {
                Value::Dynamic(_, value) => *value,
                untyped => untyped,
            };
            (ty, value)
        })
        .unzip();
    Dynamic::new(Type::Tuple(types), Value::List(values))
}

fn entry(key: &str) -> Dynamic {
    let reference = [("key", known("agent")), ("property", known("token"))];
    Dynamic::object([
        ("secretKey", known(key)),
        ("remoteRef", Dynamic::object(reference)),
    ])
}

/// The required arguments, with other attributes in place of them or next to them.
fn spec<const N: usize>(others: [(&'static str, Dynamic); N]) -> Dynamic {
    let required = [
        ("name", known("agent")),
        ("namespace", known("prod")),
        ("data", list([entry("TOKEN")])),
    ];
    let mut attributes = std::collections::BTreeMap::from(required);
    attributes.extend(others);
    Dynamic::object(attributes)
}

/// Calls the function as it is called over the wire.
fn call(spec: Dynamic) -> Result<Dynamic, Diagnostic> {
    let bytes = msgpack::encode(&Type::Dynamic, &spec.into_value()).unwrap();
    let spec = msgpack::decode(&Type::Dynamic, &bytes).unwrap();
    let result = ExternalSecret.call(Arguments {
        spec: Field::from_value(spec, &AttributePath::new()).unwrap(),
    })?;
    let bytes = msgpack::encode(&Type::Dynamic, &result.into_value()).unwrap();
    let result = msgpack::decode(&Type::Dynamic, &bytes).unwrap();
    Ok(Dynamic::from_value(result, &AttributePath::new()).unwrap())
}

/// Returns the part of a value that a path of names leads to.
fn part(value: &Dynamic, path: &str) -> Option<Dynamic> {
    path.split('.').try_fold(value.clone(), |value, name| {
        value.attributes()?.get(name).cloned()
    })
}

#[track_caller]
fn text(value: &Dynamic, path: &str) -> String {
    part(value, path).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn defaults_fill_in_what_is_left_out_or_null() {
    let nothing = [
        "store_name",
        "store_kind",
        "refresh_interval",
        "refresh_policy",
        "target_name",
        "secret_annotations",
        "secret_labels",
        "reject_malformed",
    ];
    let nulls = nothing.map(|name| (name, null()));
    for manifest in [
        call(spec([])),
        call(spec(nulls)),
        call(spec([("annotations", null())])),
    ] {
        let manifest = manifest.unwrap();
        assert_eq!(text(&manifest, "apiVersion"), "external-secrets.io/v1");
        assert_eq!(text(&manifest, "kind"), "ExternalSecret");
        assert_eq!(text(&manifest, "metadata.name"), "agent");
        assert_eq!(text(&manifest, "metadata.namespace"), "prod");
        assert_eq!(part(&manifest, "metadata.annotations"), None);
        assert_eq!(text(&manifest, "spec.secretStoreRef.name"), "vault-kv");
        assert_eq!(
            text(&manifest, "spec.secretStoreRef.kind"),
            "ClusterSecretStore"
        );
        assert_eq!(text(&manifest, "spec.refreshInterval"), "1h0m0s");
        assert_eq!(text(&manifest, "spec.refreshPolicy"), "Periodic");
        assert_eq!(text(&manifest, "spec.target.name"), "agent");
        assert_eq!(part(&manifest, "spec.target.template"), None);
        assert_eq!(part(&manifest, "spec.data"), Some(list([entry("TOKEN")])));
    }
}

#[test]
fn what_is_given_is_taken() {
    let annotations = Dynamic::object([("token", known("sha256:1"))]);
    let manifest = call(spec([
        ("store_name", known("team")),
        ("store_kind", known("SecretStore")),
        ("refresh_interval", known("15m")),
        ("target_name", known("agent-token")),
        ("annotations", annotations.clone()),
    ]))
    .unwrap();
    assert_eq!(text(&manifest, "spec.secretStoreRef.name"), "team");
    assert_eq!(text(&manifest, "spec.secretStoreRef.kind"), "SecretStore");
    assert_eq!(text(&manifest, "spec.refreshInterval"), "15m");
    assert_eq!(text(&manifest, "spec.target.name"), "agent-token");
    assert_eq!(part(&manifest, "metadata.annotations"), Some(annotations));
}

#[test]
fn entries_pass_through_with_every_field_and_type() {
    let reference = Dynamic::object([
        ("key", known("agent")),
        ("property", null()),
        ("version", known("3")),
        ("metadataPolicy", known("Fetch")),
        ("field_of_tomorrow", Dynamic::new(Type::Bool, true.into())),
    ]);
    let store = Dynamic::object([("storeRef", Dynamic::object([("name", known("other"))]))]);
    let full = Dynamic::object([
        ("secretKey", known("FULL")),
        ("remoteRef", reference),
        ("sourceRef", store),
    ]);
    let one_type = entry("TOKEN").ty().clone();
    let same = |kind: fn(Type) -> Type| {
        let Value::Dynamic(_, value) = entry("TOKEN").into_value() else {
            panic!("an entry has a type");
        };
        Dynamic::new(kind(one_type.clone()), Value::List(vec![*value]))
    };
    for data in [
        list([full, entry("TOKEN")]),
        same(Type::list),
        same(Type::set),
        list([Dynamic::new(Type::map(Type::Dynamic), Value::Unknown)]),
    ] {
        let manifest = call(spec([("data", data.clone())])).unwrap();
        assert_eq!(part(&manifest, "spec.data"), Some(data));
    }
}

#[test]
fn only_what_is_unknown_is_unknown() {
    let annotations = Dynamic::object([("fixed", known("x")), ("token", unknown())]);
    let partly = Dynamic::object([
        ("secretKey", unknown()),
        ("remoteRef", Dynamic::new(Type::Dynamic, Value::Unknown)),
    ]);
    let manifest = call(spec([
        ("annotations", annotations.clone()),
        ("data", list([entry("TOKEN"), partly.clone()])),
        ("namespace", unknown()),
    ]))
    .unwrap();
    assert!(part(&manifest, "metadata.namespace").unwrap().is_unknown());
    assert_eq!(part(&manifest, "metadata.annotations"), Some(annotations));
    assert_eq!(
        part(&manifest, "spec.data"),
        Some(list([entry("TOKEN"), partly]))
    );
    assert_eq!(text(&manifest, "metadata.name"), "agent");
    assert_eq!(text(&manifest, "spec.target.name"), "agent");
    assert_eq!(text(&manifest, "spec.refreshInterval"), "1h0m0s");
}

/// A host refuses an apply whose types differ from those of the plan.
#[test]
fn what_becomes_known_changes_no_type() {
    for name in [
        "store_name",
        "store_kind",
        "refresh_interval",
        "refresh_policy",
        "target_name",
    ] {
        let planned = call(spec([(name, unknown())])).unwrap();
        for applied in [call(spec([])), call(spec([(name, null())]))] {
            assert_eq!(planned.ty(), applied.unwrap().ty(), "{name}");
        }
    }
    let annotation = |value| [("annotations", Dynamic::object([("token", value)]))];
    let planned = call(spec(annotation(unknown()))).unwrap();
    let nothing = Dynamic::new(Type::String, Value::Null);
    assert_eq!(planned.ty(), call(spec(annotation(nothing))).unwrap().ty());
}

/// What is unknown at plan may turn out to be null, and the attribute must stay.
#[test]
fn a_null_that_may_have_been_unknown_keeps_its_place() {
    let null_map = || Dynamic::new(Type::map(Type::String), Value::Null);
    let unknown_map = || Dynamic::new(Type::map(Type::String), Value::Unknown);
    let planned = call(spec([("annotations", unknown_map())])).unwrap();
    let applied = call(spec([("annotations", null_map())])).unwrap();
    assert_eq!(planned.ty(), applied.ty());
    for (name, planned, applied) in [
        ("secret_annotations", unknown_map(), null_map()),
        ("secret_labels", unknown_map(), null_map()),
        (
            "reject_malformed",
            Dynamic::new(Type::Bool, Value::Unknown),
            boolean(false),
        ),
    ] {
        let planned = call(spec([(name, planned)])).unwrap();
        assert!(part(&planned, "spec.target.template").unwrap().is_unknown());
        assert_eq!(text(&planned, "spec.target.name"), "agent");
        let applied = call(spec([(name, applied)])).unwrap();
        assert!(part(&applied, "spec.target.template").unwrap().is_null());
    }
}

#[test]
fn an_argument_that_is_unknown_as_a_whole_is_an_unknown_manifest() {
    let untyped = Dynamic::new(Type::Dynamic, Value::Unknown);
    let typed = Dynamic::new(spec([]).ty().clone(), Value::Unknown);
    for argument in [untyped, typed] {
        assert!(call(argument).unwrap().is_unknown());
    }
    let untyped = Dynamic::new(Type::Dynamic, Value::Unknown);
    for name in ["data", "annotations"] {
        let manifest = call(spec([(name, untyped.clone())])).unwrap();
        assert_eq!(text(&manifest, "metadata.name"), "agent", "{name}");
    }
}

#[track_caller]
fn refused(argument: Dynamic, place: &str, detail: &str) {
    let error = call(argument).unwrap_err();
    assert_eq!(error.path.unwrap().to_string(), place, "{detail}");
    assert!(
        error.detail.to_string().starts_with(detail),
        "{}",
        error.detail
    );
    assert!(error.detail.to_string().ends_with('.'), "{}", error.detail);
}

#[test]
fn attributes_that_nothing_reads_are_refused() {
    refused(
        spec([("refreshInterval", known("1h"))]),
        "spec",
        "There is no attribute `refreshInterval`. Did you mean `refresh_interval`? The attributes \
         are name, namespace, data, store_name, store_kind, refresh_interval, refresh_policy, \
         target_name, annotations, secret_annotations, secret_labels, and reject_malformed.",
    );
    refused(
        spec([("creation_policy", null())]),
        "spec",
        "There is no attribute `creation_policy`. The attributes are name, ",
    );
    refused(known("agent"), "spec", "An object is required, with name, ");
    refused(list([]), "spec", "An object is required, with name, ");
}

#[test]
fn what_is_required_must_be_there() {
    for name in ["name", "namespace", "data"] {
        refused(
            spec([(name, null())]),
            "spec",
            &format!("{name} is missing. Set it"),
        );
    }
    refused(
        Dynamic::object([("name", known("a"))]),
        "spec",
        "namespace is missing.",
    );
}

#[test]
fn values_that_the_operator_refuses_are_refused() {
    let number = || Dynamic::new(Type::Number, 5.into());
    for name in ["name", "store_name", "target_name", "namespace"] {
        let place = format!("spec.{name}");
        refused(spec([(name, known(""))]), &place, "The name is empty.");
        refused(
            spec([(name, known("A_b"))]),
            &place,
            "The name must have only lowercase",
        );
        refused(spec([(name, number())]), &place, "A string is required.");
        let unknown = Dynamic::new(Type::Number, Value::Unknown);
        refused(spec([(name, unknown)]), &place, "A string is required.");
    }
    refused(
        spec([("namespace", known("a.b"))]),
        "spec.namespace",
        "The name must have only",
    );
    refused(
        spec([("store_kind", known("Store"))]),
        "spec.store_kind",
        "store_kind must be `ClusterSecretStore` or `SecretStore`.",
    );
    refused(
        spec([("refresh_interval", known("1d"))]),
        "spec.refresh_interval",
        "Write an interval in hours, minutes, and seconds, such as",
    );
    refused(
        spec([("annotations", Dynamic::object([("a.b/c", number())]))]),
        "spec.annotations[\"a.b/c\"]",
        "A string is required.",
    );
    refused(
        spec([("annotations", Dynamic::object([("a b", null())]))]),
        "spec.annotations[\"a b\"]",
        "The part of the key after `/` must have only letters",
    );
    refused(
        spec([("annotations", known("x"))]),
        "spec.annotations",
        "A map of strings",
    );
}

#[test]
fn entries_that_the_operator_refuses_are_refused() {
    let data = |data: Dynamic| spec([("data", data)]);
    let with = |name: &'static str, value: Dynamic| {
        let mut fields = entry("TOKEN").attributes().unwrap();
        fields.insert(name.to_owned(), value);
        data(list([entry("FIRST"), Dynamic::object(fields)]))
    };
    refused(data(list([])), "spec.data", "The list is empty.");
    refused(
        data(entry("TOKEN")),
        "spec.data",
        "A list of entries is required.",
    );
    refused(
        data(list([list([entry("A")])])),
        "spec.data[0]",
        "An object is required. Join lists with concat",
    );
    refused(
        data(list([null()])),
        "spec.data[0]",
        "An object is required.",
    );
    refused(
        data(list([entry("A"), entry("B"), entry("A")])),
        "spec.data[2].secretKey",
        "An earlier entry has the same key.",
    );
    refused(
        with("secretKey", null()),
        "spec.data[1]",
        "secretKey is missing.",
    );
    refused(
        with("remoteRef", null()),
        "spec.data[1]",
        "remoteRef is missing.",
    );
    refused(
        with("secretKey", known("a b")),
        "spec.data[1].secretKey",
        "Character 2 of the key",
    );
    refused(
        with("remoteRef", known("x")),
        "spec.data[1].remoteRef",
        "An object is required.",
    );
    let empty = Dynamic::object([("property", known("token"))]);
    refused(
        with("remoteRef", empty),
        "spec.data[1].remoteRef",
        "key is missing.",
    );
    let unnamed = Dynamic::object([("key", known("")), ("property", known(""))]);
    refused(
        with("remoteRef", unnamed),
        "spec.data[1].remoteRef.key",
        "The key is empty.",
    );
    let numbered = Dynamic::object([("key", Dynamic::new(Type::Number, 1.into()))]);
    refused(
        with("remoteRef", numbered),
        "spec.data[1].remoteRef.key",
        "A string is required.",
    );
}

fn boolean(value: bool) -> Dynamic {
    Dynamic::new(Type::Bool, value.into())
}

fn with_property(key: Dynamic, property: Dynamic) -> Dynamic {
    let reference = [("key", known("agent")), ("property", property)];
    Dynamic::object([
        ("secretKey", key),
        ("remoteRef", Dynamic::object(reference)),
    ])
}

#[test]
fn the_secret_gets_annotations_and_labels_as_they_are() {
    let annotations = Dynamic::object([("a.b/c", known("{{ .TOKEN | sha256sum }}"))]);
    let labels = Dynamic::object([("app", unknown())]);
    let manifest = call(spec([
        ("secret_annotations", annotations.clone()),
        ("secret_labels", labels.clone()),
    ]));
    let template = part(&manifest.unwrap(), "spec.target.template").unwrap();
    let metadata = Dynamic::object([("annotations", annotations), ("labels", labels)]);
    assert_eq!(template, Dynamic::object([("metadata", metadata)]));
}

#[test]
fn each_token_has_a_template_and_nothing_else_has() {
    let data = list([
        entry("OTHER"),
        with_property(known("CLAUDE_CODE_OAUTH_TOKEN"), known("token")),
        with_property(known("SPARE_1"), known("claude_oauth_token")),
    ]);
    let manifest = call(spec([("data", data), ("reject_malformed", boolean(true))])).unwrap();
    let values = part(&manifest, "spec.target.template.data").unwrap();
    let keys: Vec<_> = values.attributes().unwrap().into_keys().collect();
    assert_eq!(keys, ["CLAUDE_CODE_OAUTH_TOKEN", "SPARE_1"]);
    assert_eq!(
        text(&values, "SPARE_1"),
        "{{ $token := trim (index . \"SPARE_1\") }}\
         {{ if not (regexMatch \"^sk-ant-oat[0-9]{2}-[A-Za-z0-9_-]{95}$\" $token) }}\
         {{ fail \"SPARE_1 is not a Claude token of 108 characters\" }}{{ end }}{{ $token }}"
    );
    assert_eq!(text(&manifest, "spec.target.template.mergePolicy"), "Merge");
}

#[test]
fn templates_are_unknown_only_where_the_names_are() {
    let template = |data: Dynamic| {
        let manifest = call(spec([("data", data), ("reject_malformed", boolean(true))]));
        part(&manifest.unwrap(), "spec.target.template.data").unwrap()
    };
    let token = || known("claude_oauth_token");
    assert!(template(list([with_property(unknown(), token())])).is_unknown());
    assert!(template(list([with_property(known("KEY"), unknown())])).is_unknown());
    assert!(template(Dynamic::new(Type::Dynamic, Value::Unknown)).is_unknown());
    let own = with_property(known("CLAUDE_CODE_OAUTH_TOKEN"), unknown());
    assert!(!template(list([own])).is_unknown());
}

#[test]
fn nothing_to_check_is_refused() {
    refused(
        spec([("reject_malformed", boolean(true))]),
        "spec.reject_malformed",
        "There is no token to check",
    );
    refused(
        spec([("reject_malformed", known("true"))]),
        "spec.reject_malformed",
        "A bool is required.",
    );
}

#[test]
fn tokens_are_never_decoded() {
    let decoded = |key: &str, property: &str, strategy: &str| {
        let reference = [
            ("key", known("agent")),
            ("property", known(property)),
            ("decodingStrategy", known(strategy)),
        ];
        let entry = Dynamic::object([
            ("secretKey", known(key)),
            ("remoteRef", Dynamic::object(reference)),
        ]);
        spec([("data", list([entry]))])
    };
    for strategy in ["Auto", "Base64URL"] {
        for (key, property) in [
            ("CLAUDE_CODE_OAUTH_TOKEN", "token"),
            ("KEY", "claude_oauth_token"),
        ] {
            refused(
                decoded(key, property, strategy),
                "spec.data[0].remoteRef.decodingStrategy",
                "Every Claude token is also valid Base64URL.",
            );
        }
        call(decoded("KEY", "certificate", strategy)).unwrap();
    }
    for strategy in ["None", "Base64"] {
        call(decoded("KEY", "claude_oauth_token", strategy)).unwrap();
    }
}

#[test]
fn annotations_that_sync_nothing_are_refused() {
    let annotated = |policy: Dynamic, interval: Dynamic, key: &'static str| {
        spec([
            ("annotations", Dynamic::object([(key, unknown())])),
            ("refresh_policy", policy),
            ("refresh_interval", interval),
        ])
    };
    let interval = "spec.refresh_interval";
    for (policy, given, place) in [
        (null(), known("0"), interval),
        (null(), known("0h0m"), interval),
        (known("Periodic"), known("0s"), interval),
        (known("CreatedOnce"), null(), "spec.refresh_policy"),
    ] {
        refused(annotated(policy, given, "token"), place, "With ");
    }
    for (policy, given) in [
        (null(), null()),
        (known("OnChange"), known("0s")),
        (unknown(), known("0s")),
        (known("Periodic"), unknown()),
    ] {
        call(annotated(policy, given, "token")).unwrap();
    }
    // Without an annotation, nothing expects a sync.
    let none = || Dynamic::object::<&str>([]);
    for (name, value) in [("refresh_policy", "CreatedOnce"), ("refresh_interval", "0")] {
        call(spec([(name, known(value))])).unwrap();
        call(spec([(name, known(value)), ("annotations", none())])).unwrap();
    }
    refused(
        spec([("refresh_policy", known("Always"))]),
        "spec.refresh_policy",
        "refresh_policy must be `Periodic`, `OnChange`, or `CreatedOnce`.",
    );
    let label = |value: &str| Dynamic::object([("app", known(value))]);
    call(spec([("secret_labels", label("{{ .A }} b"))])).unwrap();
    refused(
        spec([("secret_labels", label("a b"))]),
        "spec.secret_labels[\"app\"]",
        "The value of a label must have only letters",
    );
}
