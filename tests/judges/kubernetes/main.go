// Reads manifests as the Kubernetes API itself does: into its own Go types, and strictly.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var kinds = map[string]func() any{
	"apps/v1 Deployment":                 func() any { return &apps.Deployment{} },
	"apps/v1 StatefulSet":                func() any { return &apps.StatefulSet{} },
	"v1 ConfigMap":                       func() any { return &core.ConfigMap{} },
	"v1 PersistentVolumeClaim":           func() any { return &core.PersistentVolumeClaim{} },
	"v1 Service":                         func() any { return &core.Service{} },
	"v1 ServiceAccount":                  func() any { return &core.ServiceAccount{} },
	"networking.k8s.io/v1 NetworkPolicy": func() any { return &networking.NetworkPolicy{} },
	"policy/v1 PodDisruptionBudget":      func() any { return &policy.PodDisruptionBudget{} },
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	wrong := 0
	for number, document := range bytes.Split(text, []byte("\n---\n")) {
		var said meta.TypeMeta
		if err := yaml.Unmarshal(document, &said); err != nil {
			fmt.Printf("document %d: %v\n", number, err)
			wrong++
			continue
		}
		name := said.APIVersion + " " + said.Kind
		fresh, known := kinds[name]
		if !known {
			fmt.Printf("document %d: %q is not known here\n", number, name)
			wrong++
			continue
		}
		if err := yaml.UnmarshalStrict(document, fresh()); err != nil {
			fmt.Printf("document %d, %s: %v\n", number, said.Kind, err)
			wrong++
		}
	}
	if wrong > 0 {
		os.Exit(1)
	}
}
