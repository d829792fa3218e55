//! The templates of a manifest, run by Go's own template engine, as the operator runs them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::output;
use crate::support::leave_out;
use crate::support::process;
use crate::support::secrets::{LeakSearch, digest, token};
use crate::support::terraform::Workspace;

/// Time for the compiler.
const LIMIT: Duration = Duration::from_secs(300);

/// Renders each template with the values, with the functions that the operator takes from Sprig.
/// The answer is one JSON object: rendered texts, or the error.
const RENDER: &str = r#"package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/template"
)

type Case struct {
	Templates map[string]string
	Values    map[string]string
}

type Rendered struct {
	Texts map[string]string
	Error string
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	functions := template.FuncMap{
		"trim": strings.TrimSpace,
		"fail": func(text string) (string, error) { return "", errors.New(text) },
		"regexMatch": func(pattern, text string) bool {
			return regexp.MustCompile(pattern).MatchString(text)
		},
		"sha256sum": func(text string) string {
			return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
		},
	}
	var all []Rendered
	for _, each := range cases {
		rendered := Rendered{Texts: map[string]string{}}
		for name, text := range each.Templates {
			parsed, err := template.New(name).Option("missingkey=error").Funcs(functions).Parse(text)
			if err != nil {
				panic(err)
			}
			var written strings.Builder
			if err := parsed.Execute(&written, each.Values); err != nil {
				rendered.Error = err.Error()
				break
			}
			rendered.Texts[name] = written.String()
		}
		all = append(all, rendered)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}
"#;

/// Renders each case, or returns nothing where there is no Go.
fn render(cases: &Value) -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("render.go");
    fs::write(&program, RENDER).unwrap();
    let mut go = Command::new("go");
    go.arg("run").arg(&program).current_dir(folder.path());
    let Ok(run) = process::run(&mut go, cases.to_string().as_bytes(), LIMIT) else {
        leave_out("templates, because there is no Go");
        return None;
    };
    assert!(run.status.success(), "{}", run.stderr);
    Some(serde_json::from_str(&run.stdout).unwrap())
}

/// The templates of a guarded manifest, data and annotations.
fn templates() -> Value {
    let workspace = Workspace::new("function-templates");
    let manifest = "provider::claude::external_secret({ name = \"a\", namespace = \"b\", \
        reject_malformed = true, secret_annotations = { fingerprint = \
        \"sha256:{{ .CLAUDE_CODE_OAUTH_TOKEN | sha256sum }}\" }, data = \
        provider::claude::external_secret_data(\"agent\", null, null) })";
    workspace.configure(&output("manifest", manifest));
    workspace.apply().exits(0);
    let outputs = workspace.run(["output", "-json"]).exits(0).json();
    let template = &outputs["manifest"]["value"]["spec"]["target"]["template"];
    let mut templates = template["data"].clone();
    templates["fingerprint"] = template["metadata"]["annotations"]["fingerprint"].clone();
    templates
}

#[test]
fn only_tokens_pass_the_template() {
    let templates = templates();
    let key = "CLAUDE_CODE_OAUTH_TOKEN";
    let good = token("template");
    let refused = [
        good[..107].to_owned(),
        format!("{good}A"),
        format!("{good}\n{good}"),
        format!("\"{good}\""),
        good.replace("oat01", "api03"),
        format!("{} ", &good[..107]),
        "not-a-token".to_owned(),
        String::new(),
    ];
    let accepted = [
        good.clone(),
        format!(" {good}\r\n"),
        good.replace("oat01", "oat02"),
    ];
    let case = |value: &String| json!({ "Templates": templates, "Values": { key: value } });
    let cases: Vec<Value> = refused.iter().chain(&accepted).map(case).collect();
    let Some(rendered) = render(&cases.into()) else {
        return;
    };
    let mut search = LeakSearch::new();
    search.plant("the token", &good);
    for (value, rendered) in refused.iter().zip(&rendered) {
        let error = rendered["Error"].as_str().unwrap();
        let told = "CLAUDE_CODE_OAUTH_TOKEN is not a Claude token of 108 characters";
        assert!(error.contains(told), "{value}: {rendered}");
        search.text("the error", error);
    }
    search.assert_clean();
    for (value, rendered) in accepted.iter().zip(&rendered[refused.len()..]) {
        assert_eq!(rendered["Error"], "", "{value}");
        assert_eq!(rendered["Texts"][key], value.trim(), "{value}");
    }
    let fingerprint = format!("sha256:{}", digest(&good));
    assert_eq!(rendered[refused.len()]["Texts"]["fingerprint"], fingerprint);
}
