//! The schema of Kubernetes, which specs must fit, and specs as what they say, whatever their text looks like.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::bounded::run;
use super::venv::programs_with;

/// The Python package that carries the schemas of Kubernetes.
pub struct Validator {
    program: PathBuf,
}

impl Validator {
    const PACKAGE: &str = "kubernetes-validate==1.37.0";
    const VALIDATE_DEADLINE: Duration = Duration::from_secs(60);

    /// Installs it, once.
    ///
    /// # Errors
    ///
    /// Why it cannot be installed: no Python, no network.
    pub fn install() -> Result<Self, String> {
        Ok(Self { program: programs_with(Self::PACKAGE)?.join("kubernetes-validate") })
    }

    /// # Errors
    ///
    /// What of the spec does not fit the schema of this Kubernetes version; unknown fields do not.
    pub fn validate(&self, spec: &Path, version: &str) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        run(command.args(["--strict", "--kubernetes-version", version]).arg(spec), Self::VALIDATE_DEADLINE)
    }

    /// Says of each of these documents that does not fit a JSON schema what does not, in one line.
    pub fn unlike(&self, schema: &Path, documents: &[Value]) -> Vec<String> {
        // The validator itself uses this package.
        let script = "import json, sys, jsonschema\n\
            schema = json.load(open(sys.argv[1]))\n\
            jsonschema.Draft202012Validator.check_schema(schema)\n\
            validator = jsonschema.Draft202012Validator(schema)\n\
            said = [next((f'{one.json_path}: {one.message}' for one in validator.iter_errors(document)), None)\n    \
            for document in json.load(open(sys.argv[2]))]\n\
            json.dump([one for one in said if one], sys.stdout)";
        let file = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
        std::fs::write(file.path(), Value::from(documents).to_string()).expect("our own file is writable");
        let mut python = Command::new(self.program.with_file_name("python"));
        let json = run(python.args(["-c", script]).arg(schema).arg(file.path()), Self::VALIDATE_DEADLINE);
        serde_json::from_str(&json.unwrap_or_else(|failure| panic!("{failure}"))).expect("JSON")
    }

    /// What the documents of a YAML file say.
    pub fn documents(&self, file: &Path) -> Vec<Value> {
        // The validator itself reads YAML with this package.
        let script = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)";
        let mut python = Command::new(self.program.with_file_name("python"));
        let json = run(python.args(["-c", script]).arg(file), Self::VALIDATE_DEADLINE);
        serde_json::from_str(&json.unwrap_or_else(|failure| panic!("{failure}"))).expect("JSON")
    }
}

#[test]
fn a_document_is_what_it_says() {
    let validator = match Validator::install() {
        Ok(validator) => validator,
        Err(why) => return super::say::ignore(&why),
    };
    let file = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
    std::fs::write(file.path(), "a: {b: [1, x]}\n---\nc: \"2\"\n").expect("our own file is writable");
    assert_eq!(
        validator.documents(file.path()),
        [serde_json::json!({"a": {"b": [1, "x"]}}), serde_json::json!({"c": "2"})]
    );
}
