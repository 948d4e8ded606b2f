package hpa

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The timelines, each for one rule of the controller.
func timelines() []timeline {
	slots := func(target float64, steps ...step) []metric {
		return []metric{{Kind: "value", Target: target, steps: steps}}
	}
	return []timeline{
		{
			Name: "a class begins, triples and ends, by the taken share of all places", From: 2, Min: 2, Max: 10, places: 120, start: 40 * time.Second,
			Behavior: behavior(rules(0, "Max", percent(100, 15), pods(4, 15)), rules(60, "Max", percent(10, 60))),
			Metrics:  slots(.769, at(60, 100), at(180, 550), at(420, 960), at(900, 130)),
		},
		{
			Name: "what stays within a tenth of the target moves nothing", From: 10, Min: 1, Max: 50, places: 10,
			Behavior: behavior(rules(0, "Max", percent(100, 15), pods(4, 15)), rules(0, "Max", percent(100, 15))),
			Metrics:  slots(.8, at(30, 80), at(60, 87.9), at(90, 72.1), at(120, 88), at(150, 72), at(180, 88.1), at(210, 79), at(240, 71), at(270, 88)),
		},
		{
			Name: "a tolerance of a quarter", From: 20, Min: 1, Max: 60, places: 10,
			Behavior: tolerant(behavior(rules(0, "Max", percent(100, 15)), rules(0, "Max", percent(100, 15))), "0.25"),
			Metrics:  slots(.5, at(45, 124), at(90, 126), at(150, 97), at(210, 90), at(270, 119)),
		},
		{
			Name: "Kubernetes' own rules: four more or twice as many, down after the most of five minutes", From: 1, Min: 1, Max: 100, places: 1000, start: 20 * time.Second,
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{},
			Metrics:  []metric{{Kind: "average", Target: 10, steps: []step{at(120, 300), at(180, 40), at(240, 200), at(700, 35)}}},
		},
		{
			Name: "no behavior at all: to four at once, then twice as many", From: 1, Min: 1, Max: 60, places: 1000, start: 5 * time.Second,
			Metrics: []metric{{Kind: "average", Target: 10, steps: []step{at(90, 300), at(120, 590)}}},
		},
		{
			Name: "two pods each 45 s, whichever way it went before", From: 20, Min: 1, Max: 60, places: 10, start: 5 * time.Second,
			Behavior: behavior(rules(0, "Max", pods(3, 45)), rules(0, "Max", pods(2, 45))),
			Metrics:  slots(.75, at(100, 190), at(190, 90), at(240, 260), at(330, 100), at(420, 100)),
		},
		{
			Name: "of several policies the one that allows least", From: 30, Min: 2, Max: 80, places: 10, start: 5 * time.Second,
			Behavior: behavior(rules(0, "Min", pods(6, 60), percent(10, 30)), rules(0, "Min", percent(50, 60), pods(4, 30), percent(20, 45))),
			Metrics:  slots(.75, at(240, 600), at(600, 60)),
		},
		{
			Name: "both ways wait: what moves to and fro moves nothing", From: 12, Min: 1, Max: 60, places: 10, start: 5 * time.Second,
			Behavior: behavior(rules(60, "Max", percent(100, 15)), rules(90, "Max", percent(100, 15))),
			Metrics:  slots(.75, at(30, 120), at(45, 60), at(60, 120), at(90, 70), at(105, 118), at(140, 60), at(160, 115), at(300, 120), at(600, 40)),
		},
		{
			Name: "shares are taken in floating point, and rounded as they come", From: 50, Min: 1, Max: 200, places: 100,
			Behavior: behavior(rules(0, "Max", percent(10, 15)), rules(0, "Max", percent(80, 15))),
			Metrics:  slots(.5, at(15, 5000), at(60, 1400), at(75, 5000), at(90, 1400), at(120, 700), at(150, 40)),
		},
		{
			Name: "never down", From: 8, Min: 1, Max: 60, places: 10, start: 5 * time.Second,
			Behavior: behavior(rules(0, "Max", percent(50, 30)), rules(0, "Disabled", percent(100, 15))),
			Metrics:  slots(.75, at(120, 30), at(200, 110), at(400, 10)),
		},
		{
			Name: "the metric is gone at the peak, and comes back", From: 4, Min: 2, Max: 20, places: 10, start: 20 * time.Second,
			Behavior: behavior(rules(0, "Max", percent(100, 15), pods(4, 15)), rules(60, "Max", percent(100, 15))),
			Metrics:  slots(.75, at(120, 90), none(330), at(420, 90), none(480), at(560, 20), none(700), at(800, 20)),
		},
		{
			Name: "a total a pod, as KEDA asks", From: 4, Min: 1, Max: 40, places: 1000, start: 30 * time.Second,
			Behavior: behavior(rules(0, "Max", percent(100, 15), pods(4, 15)), rules(45, "Max", percent(25, 15))),
			Metrics:  []metric{{Kind: "average", Target: 12, steps: []step{at(60, 52), at(150, 400), at(300, 130), at(420, 6)}}},
		},
		{
			Name: "each pod's streams, with pods on their way", From: 5, Min: 1, Max: 60, places: 100, start: 50 * time.Second,
			Behavior: behavior(rules(0, "Max", percent(100, 15), pods(4, 15)), rules(60, "Max", percent(50, 30))),
			Metrics:  []metric{{Kind: "pods", Target: 75, steps: []step{at(60, 380), at(150, 490), at(330, 1300), at(500, 600), at(700, 100)}}},
		},
		{
			Name: "two metrics: the larger asks, and while one is gone nothing goes down", From: 6, Min: 1, Max: 40, places: 100, start: 10 * time.Second,
			Behavior: behavior(rules(0, "Max", percent(100, 15), pods(4, 15)), rules(0, "Max", percent(100, 15))),
			Metrics: []metric{
				{Kind: "average", Target: 10, steps: []step{at(60, 60), at(120, 100), at(200, 40), none(300), at(400, 40), none(460), at(520, 30)}},
				{Kind: "average", Target: 5, steps: []step{at(120, 20), at(200, 60), at(260, 20), at(330, 70), at(400, 20), at(520, 80)}},
			},
		},
		{
			Name: "more than the most is cut at once", From: 30, Min: 4, Max: 12, places: 10,
			Behavior: behavior(rules(0, "Max", percent(100, 15)), rules(120, "Max", pods(1, 60))),
			Metrics:  slots(.75, at(100, 300), at(400, 10)),
		},
		{
			Name: "less than the least is filled at once", From: 1, Min: 6, Max: 12, places: 10, start: 25 * time.Second,
			Behavior: behavior(rules(120, "Max", pods(1, 60)), rules(0, "Max", percent(100, 15))),
			Metrics:  slots(.75, at(60, 10), at(300, 110), at(400, 10)),
		},
	}
}

func at(untilS int, load float64) step { return step{UntilS: untilS, Load: &load} }

func none(untilS int) step { return step{UntilS: untilS} }

func behavior(up, down *autoscalingv2.HPAScalingRules) *autoscalingv2.HorizontalPodAutoscalerBehavior {
	return &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: up, ScaleDown: down}
}

func rules(windowS int32, selected autoscalingv2.ScalingPolicySelect, policies ...autoscalingv2.HPAScalingPolicy) *autoscalingv2.HPAScalingRules {
	return &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: &windowS, SelectPolicy: &selected, Policies: policies}
}

func percent(value, periodS int32) autoscalingv2.HPAScalingPolicy {
	return autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: value, PeriodSeconds: periodS}
}

func pods(value, periodS int32) autoscalingv2.HPAScalingPolicy {
	return autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: value, PeriodSeconds: periodS}
}

func tolerant(made *autoscalingv2.HorizontalPodAutoscalerBehavior, both string) *autoscalingv2.HorizontalPodAutoscalerBehavior {
	tolerance := resource.MustParse(both)
	made.ScaleUp.Tolerance, made.ScaleDown.Tolerance = &tolerance, &tolerance
	return made
}
