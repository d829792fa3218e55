//! A token that leaked, with a copy of it among the spares.

use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::token::fingerprint::Fingerprint;
use terraform_provider_claude::token::mark::Mark;

use super::bench::{Bench, FIELD, PRIMARY, fingerprint};
use super::host::{Host, config, errors};
use super::trial::{Lab, Rights, adopted, refreshed};

/// The primary and one spare hold the same token; it leaks. The copy must never come back, not
/// even when every other spare is gone.
#[tokio::test]
async fn a_leaked_token_never_comes_back_from_its_copy() {
    let lab = Lab::start().await;
    let bench = Bench::new(&lab.bao, lab.folder());
    let (good, leaked) = (bench.token("T1"), bench.token("T2"));
    for (name, token) in [(PRIMARY, &leaked), ("spare-1", &good), ("spare-2", &leaked)] {
        bench.put(name, token, "").await;
    }
    let spares = ["spare-1", "spare-2"].map(|spare| Value::from(bench.path(spare)));
    let spares = Value::List(spares.into());
    let asked = |times: i64| {
        let mut parts = vec![
            ("path", Value::from(bench.path(PRIMARY))),
            ("spare_paths", spares.clone()),
        ];
        if times > 0 {
            let leak = Value::object([("leak", Value::from(times.to_string()))]);
            parts.push(("rotate_when_changed", leak));
        }
        config(&parts)
    };
    let access = lab.access(Rights::All, 1);
    let mut texts = Vec::new();

    let instance = adopted(&access, &asked(0)).await;
    let (instance, plan, _) = refreshed(&access, &instance, &asked(1), &mut texts).await;
    let mut host = Host::inside(&access).await;
    let applied = host.apply(Some(&instance), &asked(1), &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert_eq!(bench.secret(PRIMARY).await.current(), Some(good.clone()));
    let instance = applied.instance.unwrap();
    assert_eq!(instance.text("fingerprint"), Some(&*fingerprint(&good)));
    assert_eq!(instance.text("rotated_from"), Some(&*bench.path("spare-1")));
    assert!(is_spent(&bench, "spare-1", &good).await);
    assert!(is_spent(&bench, "spare-2", &leaked).await);

    // Sooner finds no spare than takes the copy, also once the primary's history is short.
    for forgotten in [false, true] {
        if forgotten {
            let path = format!("secret/destroy/{}", bench.path(PRIMARY));
            let body = serde_json::json!({ "versions": [1] });
            bench.bao.must("POST", &path, body).await;
        }
        let mut host = Host::inside(&access).await;
        let (instance, _) = host.read(&instance).await;
        let plan = host.plan(Some(&instance), &asked(2)).await;
        let [error] = errors(&plan.told)[..] else {
            panic!("{:?}", plan.told);
        };
        assert!(error.summary.starts_with("No spare for "), "{error:?}");
        assert_eq!(bench.secret(PRIMARY).await.version(), 2);
    }
}

/// Returns whether a mark on the spare says that the primary holds or held this token.
async fn is_spent(bench: &Bench, name: &str, token: &str) -> bool {
    let spare = bench.secret(name).await;
    let token: Fingerprint = fingerprint(token).parse().unwrap();
    Mark::read_all(FIELD, &spare.metadata).iter().any(|mark| {
        mark.version == 0 && mark.is_about(&token) && mark.primary.path == bench.path(PRIMARY)
    })
}
