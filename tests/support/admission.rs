//! Admission policies without a server: what they make of objects, by `admission.py` beside this file and Google's CEL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::bounded::run;
use super::venv::programs_with;

/// Policies, in the order in which the API server has them: those that change come first.
pub struct Admission {
    python: PathBuf,
    policies: Vec<Value>,
}

/// What became of an object.
pub struct Admitted {
    pub object: Value,
    pub is_patched: bool,
    /// the messages of validations that failed, and of policies that could not be evaluated
    pub said: Vec<String>,
}

impl Admission {
    const PACKAGE: &str = "cel-expr-python==0.1.3";
    /// It takes a second or two.
    const DEADLINE: Duration = Duration::from_secs(120);

    /// # Errors
    ///
    /// Why it cannot be installed: no Python 3.11, no network.
    pub fn install(policies: Vec<Value>) -> Result<Self, String> {
        Ok(Self { python: programs_with(Self::PACKAGE)?.join("python"), policies })
    }

    /// What becomes of each of these objects, one after the other.
    #[track_caller]
    pub fn admit(&self, objects: &[Value]) -> Vec<Admitted> {
        self.try_to_admit(objects).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// # Errors
    ///
    /// What of the policies does not compile, or cannot be evaluated though its `failurePolicy` is `Fail`.
    pub fn try_to_admit(&self, objects: &[Value]) -> Result<Vec<Admitted>, String> {
        let file = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
        let given = json!({"policies": self.policies, "objects": objects});
        fs::write(file.path(), given.to_string()).expect("our own file is writable");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/admission.py");
        let json = run(Command::new(&self.python).arg(script).arg(file.path()), Self::DEADLINE)?;
        let admitted: Vec<Value> = serde_json::from_str(&json).expect("JSON");
        Ok(admitted.into_iter().map(Admitted::new).collect())
    }
}

impl Admitted {
    fn new(mut admitted: Value) -> Self {
        let said = admitted["said"].as_array().expect("a list").iter();
        Self {
            said: said.map(|one| one.as_str().expect("text").to_owned()).collect(),
            is_patched: admitted["patched"].as_bool().expect("a bool"),
            object: admitted["object"].take(),
        }
    }
}

#[test]
fn a_policy_is_evaluated_and_a_wrong_one_is_seen() {
    let policy = |expression: &str| {
        json!({"kind": "MutatingAdmissionPolicy", "spec": {
            "failurePolicy": "Fail",
            "variables": [{"name": "name", "expression": "object.metadata.?name.orValue('none')"}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        }})
    };
    let container = "JSONPatch{op: 'add', path: '/spec/containers/0', value: Object.spec.containers{name: variables.name, ports: [KIND{containerPort: 1 > 2 ? 3 : 4}]}}";
    let right = format!("[{}]", container.replace("KIND", "Object.spec.containers.ports"));
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "b"}]}});
    let evaluate = |expression: &str| {
        Admission::install(vec![policy(expression)]).map(|one| one.try_to_admit(std::slice::from_ref(&pod)))
    };
    let evaluated = match evaluate(&right) {
        Ok(evaluated) => evaluated.expect("a valid policy"),
        Err(why) => return super::say::ignore(&why),
    };
    let expected = json!([{"name": "a", "ports": [{"containerPort": 4}]}, {"name": "b"}]);
    assert_eq!(evaluated[0].object["spec"]["containers"], expected);
    let mut forward = policy("[]");
    forward["spec"]["variables"][0]["expression"] = "variables.later".into();
    let forward = Admission::install(vec![forward]).expect("installed").try_to_admit(std::slice::from_ref(&pod));
    assert!(forward.map(|_| ()).expect_err("a variable of later").contains("not defined before it"));
    let wrong_type = format!("[{}]", container.replace("KIND", "Object.spec.containers.port"));
    for (wrong, why) in [
        (&*wrong_type, "is in the field ports of Object.spec.containers"),
        ("[JSONPatch{op: 'add', path: '/spec/x', value: nothing}]", "undeclared reference to 'nothing'"),
        ("[JSONPatch{op: 'add', path: '/spec/x', value: object.spec.nothing}]", "nothing"),
        ("[JSONPatch{op: 'add', path: '/spec/x', value: 'a' + 1}]", "no matching overload"),
    ] {
        let failure = evaluate(wrong).expect("installed").map(|_| ()).expect_err(wrong);
        assert!(failure.contains(why), "{failure}");
    }
}
