//! The page of a function: front matter, example, signature, arguments, result.

use std::fmt::Write as _;

use terraform_provider_claude::protocol::{Mode, Signature};

use super::page::{code, type_name};

/// What every function needs of the module and of the command line.
const NEEDS: &str = "Requires Terraform 1.8 or OpenTofu 1.7. The module that calls the function lists \
    the provider in `required_providers`. It does not need a `provider` block.";

/// Writes the page in Markdown.
pub(super) fn page(name: &str, signature: &Signature, example: &str) -> String {
    let parameters = signature.parameters.iter();
    let parameters: Vec<_> = parameters
        .map(|parameter| {
            let ty = type_name(&parameter.implied_type());
            (parameter, ty)
        })
        .collect();
    let listed: Vec<_> = parameters
        .iter()
        .map(|(parameter, ty)| format!("{} {ty}", parameter.name))
        .collect();
    let result = type_name(&signature.result);
    let mut text = format!(
        "---\npage_title: \"{name} function - claude\"\nsubcategory: \"\"\ndescription: |-\n  \
         {}\n---\n\n# function: {name}\n\n{}\n\n## Example Usage\n\n{}\n{NEEDS}\n\n## Signature\n\n{}\n\
         ## Arguments\n\n",
        signature.summary,
        signature.description,
        code("terraform", example),
        code("text", &format!("{name}({}) {result}\n", listed.join(", "))),
    );
    for (number, (parameter, ty)) in (1..).zip(&parameters) {
        let nullable = match parameter.mode {
            Mode::Required => "",
            _ => ", nullable",
        };
        let _ = writeln!(
            text,
            "{number}. `{}` ({ty}{nullable}) {}",
            parameter.name, parameter.description
        );
    }
    let unknown = if signature.takes_unknown {
        "If an argument is unknown, only what depends on it is unknown in the result."
    } else {
        "The result is unknown until the arguments are known."
    };
    let _ = write!(text, "\n## Return Type\n\n`{result}`. {unknown}\n");
    text
}
