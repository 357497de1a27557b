// net/http with the settings of http.DefaultTransport: it keeps connections for 90 s.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	rand.Seed(time.Now().UnixNano())
	connections, _ := strconv.Atoi(os.Getenv("CONNECTIONS"))
	var all sync.WaitGroup
	for i := 0; i < connections; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			sendAll()
		}()
	}
	all.Wait()
}

func sendAll() {
	sends, _ := strconv.Atoi(os.Getenv("SENDS"))
	shortest, _ := strconv.ParseFloat(os.Getenv("SHORTEST_PAUSE"), 64)
	longest, _ := strconv.ParseFloat(os.Getenv("LONGEST_PAUSE"), 64)
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	for i := 0; i < sends; i++ {
		fmt.Println(send(client))
		if i < sends-1 {
			pause := shortest + rand.Float64()*(longest-shortest)
			time.Sleep(time.Duration(pause * float64(time.Second)))
		}
	}
}

func send(client *http.Client) string {
	body := strings.NewReader(`{"to": "+256701234567", "message": "Hello from Go"}`)
	request, err := http.NewRequest("POST", os.Getenv("BASE_URL")+"/messages/sms", body)
	if err != nil {
		return "lost: " + err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "lost: " + err.Error()
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err != nil {
		return "lost: " + err.Error()
	}
	return strconv.Itoa(response.StatusCode)
}
