// Package hpa plays metric timelines to Kubernetes' own HorizontalPodAutoscaler controller in virtual time, and writes down how many
// replicas it asked for at each of its looks. ../hpa.sh runs it.
package hpa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	core "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const (
	namespace = "speech"
	workload  = "nodes"
	syncEvery = 15 * time.Second
)

var podLabels = map[string]string{"app": workload}

// A step of a timeline: until when what is asked of the fleet stays as it is.
type step struct {
	UntilS int
	// Streams that want a place; nil: the metric cannot be had.
	Load *float64
}

type metric struct {
	// value: the taken share of all places, as one external metric with a Value; average: the streams of all, as an external metric
	// with an AverageValue; pods: each ready pod's streams.
	Kind   string  `json:"kind"`
	Target float64 `json:"target"`
	steps  []step
}

type timeline struct {
	Name     string                                         `json:"name"`
	From     int32                                          `json:"from"`
	Min      int32                                          `json:"min"`
	Max      int32                                          `json:"max"`
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
	Metrics  []metric                                       `json:"metrics"`
	looks    []look
	// How long a pod is pending before it is ready.
	start time.Duration
	// Places of a pod.
	places float64
}

// A look of the controller: what it found, and how many replicas there were after it.
type look struct {
	atS int
	// Pods that the workload has been told to have, those that exist, those that are ready.
	replicas, pods, ready int32
	// Thousandths, one for each metric: the sum over its pods for a metric of pods; nil: it was not read, or could not be.
	read []*int64
	then int32
}

func TestTimelines(t *testing.T) {
	// It waits by the wall clock between two errors, which in virtual time never comes.
	utilruntime.ErrorHandlers = nil
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	played := timelines()
	for i := range played {
		t.Run(played[i].Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, &played[i]) })
		})
	}
	if file := os.Getenv("GOLDEN"); file != "" && !t.Failed() {
		write(t, file, played)
	}
}

// The fleet that is scaled, and what the controller reads of it.
type fleet struct {
	mu       sync.Mutex
	line     *timeline
	client   *fake.Clientset
	began    time.Time
	replicas int32
	made     int
	// When each pod that exists was made, by its name, oldest first.
	pods []pod
	// Of the look that goes on.
	now *look
}

type pod struct {
	name  string
	since time.Time
	ready bool
}

func play(t *testing.T, line *timeline) {
	ctx, stop := context.WithCancel(context.Background())
	client := fake.NewClientset()
	fleet := &fleet{line: line, client: client, began: time.Now(), replicas: line.From}
	for range line.From {
		fleet.add(ctx, time.Now().Add(-time.Hour))
	}
	fleet.step(ctx)
	if _, err := client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(ctx, autoscaler(line), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: "apps", Version: "v1"}})
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, meta.RESTScopeNamespace)
	factory := informers.NewSharedInformerFactory(client, 0)
	controller := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), fleet.scales(), client.AutoscalingV2(), mapper, fleet,
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
		syncEvery, 5*time.Minute, .1, 5*time.Minute, 30*time.Second)
	factory.Start(ctx.Done())
	var running sync.WaitGroup
	running.Go(func() { controller.Run(ctx, 1) })
	// Half a second beside the controller's looks, which come on whole ones.
	time.Sleep(500 * time.Millisecond)
	last := 0
	for _, metric := range line.Metrics {
		last = max(last, metric.steps[len(metric.steps)-1].UntilS)
	}
	for range last {
		fleet.step(ctx)
		time.Sleep(time.Second)
	}
	fleet.end()
	stop()
	running.Wait()
	factory.Shutdown()
	if len(line.looks) < last/20 {
		t.Errorf("the controller looked %d times in %d s", len(line.looks), last)
	}
}

// Brings the pods up to what the workload has been told, as its own controller and a kubelet would.
func (f *fleet) step(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for int32(len(f.pods)) < f.replicas {
		f.addLocked(ctx, time.Now())
	}
	for int32(len(f.pods)) > f.replicas {
		// The youngest goes first: it is the one that is not ready yet.
		gone := f.pods[len(f.pods)-1]
		f.pods = f.pods[:len(f.pods)-1]
		if err := f.client.CoreV1().Pods(namespace).Delete(ctx, gone.name, metav1.DeleteOptions{}); err != nil {
			panic(err)
		}
	}
	for i := range f.pods {
		if one := &f.pods[i]; !one.ready && time.Since(one.since) >= f.line.start {
			one.ready = true
			if _, err := f.client.CoreV1().Pods(namespace).Update(ctx, podObject(*one), metav1.UpdateOptions{}); err != nil {
				panic(err)
			}
		}
	}
}

func (f *fleet) add(ctx context.Context, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addLocked(ctx, since)
}

func (f *fleet) addLocked(ctx context.Context, since time.Time) {
	one := pod{name: fmt.Sprintf("%s-%d", workload, f.made), since: since}
	f.made++
	f.pods = append(f.pods, one)
	if _, err := f.client.CoreV1().Pods(namespace).Create(ctx, podObject(one), metav1.CreateOptions{}); err != nil {
		panic(err)
	}
}

func podObject(one pod) *v1.Pod {
	phase, ready := v1.PodPending, v1.ConditionFalse
	if one.ready {
		phase, ready = v1.PodRunning, v1.ConditionTrue
	}
	since := metav1.NewTime(one.since)
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: one.name, Namespace: namespace, Labels: podLabels},
		Status: v1.PodStatus{
			Phase: phase, StartTime: &since,
			Conditions: []v1.PodCondition{{Type: v1.PodReady, Status: ready, LastTransitionTime: since}},
		},
	}
}

// The scale of the workload: each look of the controller begins by reading it.
func (f *fleet) scales() *scalefake.FakeScaleClient {
	client := &scalefake.FakeScaleClient{}
	client.AddReactor("get", "deployments", func(core.Action) (bool, runtime.Object, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.endLocked()
		ready := int32(0)
		for _, one := range f.pods {
			if one.ready {
				ready++
			}
		}
		at := int(time.Since(f.began).Round(time.Second).Seconds())
		f.now = &look{atS: at, replicas: f.replicas, pods: int32(len(f.pods)), ready: ready, read: make([]*int64, len(f.line.Metrics))}
		return true, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: workload, Namespace: namespace},
			Spec:       autoscalingv1.ScaleSpec{Replicas: f.replicas},
			Status:     autoscalingv1.ScaleStatus{Replicas: int32(len(f.pods)), Selector: labels.SelectorFromSet(podLabels).String()},
		}, nil
	})
	client.AddReactor("update", "deployments", func(action core.Action) (bool, runtime.Object, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		scale := action.(core.UpdateAction).GetObject().(*autoscalingv1.Scale)
		f.replicas = scale.Spec.Replicas
		return true, scale, nil
	})
	return client
}

// Ends the look that goes on, if one does.
func (f *fleet) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endLocked()
}

func (f *fleet) endLocked() {
	if f.now != nil {
		f.now.then = f.replicas
		f.line.looks = append(f.line.looks, *f.now)
	}
	f.now = nil
}

// What the metric is now, in streams that want a place; false: it cannot be had.
func (f *fleet) load(name string) (index int, load float64, ready int, known bool) {
	for index = range f.line.Metrics {
		if metricName(index) == name {
			break
		}
	}
	for _, one := range f.pods {
		if one.ready {
			ready++
		}
	}
	at := time.Since(f.began).Seconds()
	for _, step := range f.line.Metrics[index].steps {
		if at < float64(step.UntilS) {
			if step.Load == nil {
				return index, 0, ready, false
			}
			return index, *step.Load, ready, true
		}
	}
	return index, 0, ready, false
}

func (f *fleet) read(index int, value int64) {
	f.now.read[index] = &value
}

var errNone = errors.New("no metrics returned from external metrics API")

// GetExternalMetric answers as the admin plane does: an empty list, which the client calls an error, where there is nothing to tell.
func (f *fleet) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	index, load, ready, known := f.load(name)
	if !known || ready == 0 {
		return nil, time.Time{}, errNone
	}
	value := load
	if f.line.Metrics[index].Kind == "value" {
		places := float64(ready) * f.line.places
		value = math.Min(load, places) / places
	}
	milli := int64(math.Round(value * 1000))
	f.read(index, milli)
	return []int64{milli}, time.Now(), nil
}

// GetRawMetric answers for each pod that is ready: all have the same.
func (f *fleet) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	index, load, ready, known := f.load(name)
	if !known || ready == 0 {
		return nil, time.Time{}, errNone
	}
	each := int64(math.Round(1000 * math.Min(load/float64(ready), f.line.places)))
	all := metrics.PodMetricsInfo{}
	for _, one := range f.pods {
		if one.ready {
			all[one.name] = metrics.PodMetric{Timestamp: time.Now(), Window: time.Minute, Value: each}
		}
	}
	f.read(index, each*int64(len(all)))
	return all, time.Now(), nil
}

// GetResourceMetric is asked by no timeline.
func (f *fleet) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errNone
}

// GetObjectMetric is asked by no timeline.
func (f *fleet) GetObjectMetric(string, string, *autoscalingv2.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errNone
}

func metricName(index int) string { return fmt.Sprintf("load-%d", index) }

// The autoscaler of a timeline, with the defaults that an API server fills in.
func autoscaler(line *timeline) *autoscalingv2.HorizontalPodAutoscaler {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: workload, Namespace: namespace},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: workload},
			MinReplicas:    &line.Min, MaxReplicas: line.Max, Behavior: line.Behavior.DeepCopy(),
		},
	}
	for i, metric := range line.Metrics {
		target := resource.NewMilliQuantity(int64(math.Round(metric.Target*1000)), resource.DecimalSI)
		identifier := autoscalingv2.MetricIdentifier{Name: metricName(i)}
		average := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: target}
		spec := autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType}
		switch metric.Kind {
		case "value":
			spec.External = &autoscalingv2.ExternalMetricSource{Metric: identifier,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: target}}
		case "average":
			spec.External = &autoscalingv2.ExternalMetricSource{Metric: identifier, Target: average}
		case "pods":
			spec.Type = autoscalingv2.PodsMetricSourceType
			spec.Pods = &autoscalingv2.PodsMetricSource{Metric: identifier, Target: average}
		}
		hpa.Spec.Metrics = append(hpa.Spec.Metrics, spec)
	}
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	if hpa.Spec.Behavior != nil {
		defaults.SetDefaults_HorizontalPodAutoscalerBehavior(hpa)
	}
	return hpa
}

// One line a look, so that a change shows what it changes.
func write(t *testing.T, file string, played []timeline) {
	text := fmt.Sprintf("{\n\"kubernetes\": %s,\n\"look\": %s,\n\"timelines\": [", encoded(t, os.Getenv("KUBERNETES")),
		encoded(t, []string{"atS", "replicas", "pods", "ready", "read", "then"}))
	for i, line := range played {
		head := encoded(t, line)
		text += fmt.Sprintf("%s\n%s,\n\"looks\": [", separator(i), head[:len(head)-1])
		for j, one := range line.looks {
			text += separator(j) + "\n" + encoded(t, []any{one.atS, one.replicas, one.pods, one.ready, one.read, one.then})
		}
		text += "\n]}"
	}
	if err := os.WriteFile(file, []byte(text+"\n]\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func encoded(t *testing.T, value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func separator(index int) string {
	if index == 0 {
		return ""
	}
	return ","
}
