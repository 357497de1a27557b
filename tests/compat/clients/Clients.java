// java.net.http.HttpClient as it comes: it keeps connections, and offers HTTP/2 by an upgrade.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.ThreadLocalRandom;

public class Clients {
  static final String URL = System.getenv("BASE_URL") + "/messages/sms";
  static final int CONNECTIONS = Integer.parseInt(System.getenv("CONNECTIONS"));
  static final int SENDS = Integer.parseInt(System.getenv("SENDS"));
  static final double SHORTEST = Double.parseDouble(System.getenv("SHORTEST_PAUSE"));
  static final double LONGEST = Double.parseDouble(System.getenv("LONGEST_PAUSE"));

  public static void main(String[] arguments) throws InterruptedException {
    Thread[] threads = new Thread[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
      threads[i] = new Thread(Clients::sendAll);
      threads[i].start();
    }
    for (Thread thread : threads) thread.join();
  }

  static void sendAll() {
    HttpClient client = HttpClient.newHttpClient();
    for (int i = 0; i < SENDS; i++) {
      String outcome = send(client);
      synchronized (System.out) {
        System.out.println(outcome);
      }
      if (i < SENDS - 1) pause();
    }
  }

  static String send(HttpClient client) {
    String body = "{\"to\": \"+256701234567\", \"message\": \"Hello from Java\"}";
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(URL))
            .header("Authorization", "Bearer " + System.getenv("TOKEN"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      return String.valueOf(response.statusCode());
    } catch (Exception error) {
      return "lost: " + error;
    }
  }

  static void pause() {
    try {
      Thread.sleep((long) (1000 * ThreadLocalRandom.current().nextDouble(SHORTEST, LONGEST)));
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }
}
