//! Settings that prevent Terraform and OpenTofu from searching the default folders.

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::{self, Environment};
use crate::provider::ADDRESS;

/// Returns the files with a `provider_installation` block that does not mention this provider's
/// host.
pub(super) fn blocking(environment: &dyn Environment) -> Vec<PathBuf> {
    let mut found = files(environment);
    found.retain(|file| fs::read_to_string(file).is_ok_and(|text| blocks(&text)));
    found
}

/// Returns the files that either host reads. A file set in a variable is the only one.
fn files(environment: &dyn Environment) -> Vec<PathBuf> {
    let named = [env::TF_CLI_CONFIG_FILE, env::TERRAFORM_CONFIG];
    if let Some(file) = named.iter().find_map(|name| environment.get(name)) {
        return vec![PathBuf::from(file)];
    }
    let home = environment.get(env::HOME).map(PathBuf::from);
    let opentofu = environment
        .get(env::XDG_CONFIG_HOME)
        .map(|folder| Path::new(&folder).join("opentofu"));
    let mut files = Vec::new();
    if let Some(home) = &home {
        files.extend([home.join(".terraformrc"), home.join(".tofurc")]);
    }
    files.extend(opentofu.as_ref().map(|folder| folder.join("tofurc")));
    let folders = home.map(|home| home.join(".terraform.d"));
    for folder in folders.into_iter().chain(opentofu) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut settings: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|path| is_settings(path))
            .collect();
        settings.sort();
        files.extend(settings);
    }
    files
}

fn is_settings(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".tfrc") || name.ends_with(".tfrc.json")
}

fn blocks(text: &str) -> bool {
    let host = ADDRESS.split('/').next().unwrap_or(ADDRESS);
    let names_host = text.contains(&format!("{host}/"));
    let mut lines = text
        .lines()
        .map(|line| line.trim_start_matches([' ', '\t', '{', '"']));
    !names_host && lines.any(|line| line.starts_with("provider_installation"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const BLOCK: &str = "  provider_installation {\n    direct {}\n  }\n";

    #[test]
    fn every_file_that_a_host_reads_is_found() {
        let root = tempfile::tempdir().unwrap();
        let (home, config) = (root.path().join("home"), root.path().join("config"));
        for folder in [home.join(".terraform.d"), config.join("opentofu")] {
            fs::create_dir_all(folder).unwrap();
        }
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut environment = BTreeMap::from([
            ("HOME".to_owned(), text(&home)),
            ("XDG_CONFIG_HOME".to_owned(), text(&config)),
        ]);
        let files = [
            home.join(".terraformrc"),
            home.join(".tofurc"),
            config.join("opentofu/tofurc"),
            home.join(".terraform.d/a.tfrc"),
            home.join(".terraform.d/b.tfrc.json"),
            config.join("opentofu/c.tfrc"),
        ];
        for file in &files {
            assert!(blocking(&environment).is_empty());
            let json = "{\"provider_installation\": [{\"direct\": [{}]}]}";
            fs::write(
                file,
                if file.ends_with("b.tfrc.json") {
                    json
                } else {
                    BLOCK
                },
            )
            .unwrap();
            assert_eq!(blocking(&environment), std::slice::from_ref(file));
            let own = BLOCK.replace("{}", "{ exclude = [\"terraform.local/*/*\"] }");
            fs::write(file, own).unwrap();
        }
        fs::write(home.join(".terraform.d/notes.txt"), BLOCK).unwrap();
        fs::write(home.join(".tofurc"), BLOCK).unwrap();
        let named = root.path().join("cli.tfrc");
        fs::write(&named, BLOCK).unwrap();
        for name in ["TERRAFORM_CONFIG", "TF_CLI_CONFIG_FILE"] {
            environment.insert(name.to_owned(), text(&named));
            assert_eq!(blocking(&environment), std::slice::from_ref(&named));
        }
    }
}
