//! What a person gets who runs the binary by hand.

use crate::support::host::{Ended, Options, Process};

async fn run(arguments: &[&str]) -> Ended {
    Process::start(arguments, &[]).ended().await
}

#[tokio::test]
async fn version_is_one_line() {
    let ended = run(&["--version"]).await;
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(
        ended.output,
        concat!(
            "terraform-provider-claude ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )
    );
    assert_eq!(ended.errors, "");
}

#[tokio::test]
async fn help_lists_the_flags() {
    let ended = run(&["--help"]).await;
    assert_eq!(ended.status.code(), Some(0));
    for flag in ["--version", "--help", "--debug"] {
        assert!(ended.output.contains(flag));
    }
}

#[tokio::test]
async fn unknown_argument_is_not_repeated() {
    let ended = run(&["sk-ant-oat01-invented"]).await;
    assert_eq!(ended.status.code(), Some(2));
    assert_eq!(ended.output, "");
    assert!(ended.errors.contains("--help"));
    assert!(!ended.errors.contains("invented"));
}

#[tokio::test]
async fn without_a_host_it_explains_itself() {
    let wrong = Options::default().with("TF_PLUGIN_MAGIC_COOKIE", "another");
    for environment in [Vec::new(), wrong.environment()] {
        let ended = Process::start(&[], &environment).ended().await;
        assert_eq!(ended.status.code(), Some(1));
        assert_eq!(ended.output, "");
        for word in ["Terraform", "--help"] {
            assert!(ended.errors.contains(word), "{ended:?}");
        }
    }
}
