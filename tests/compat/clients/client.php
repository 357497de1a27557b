<?php
// One curl handle, which keeps its connection. PHP has no threads: a process is one connection.

$curl = curl_init(getenv('BASE_URL') . '/messages/sms');
curl_setopt_array($curl, [
    CURLOPT_POSTFIELDS => json_encode(['to' => '+256701234567', 'message' => 'Hello from PHP']),
    CURLOPT_HTTPHEADER => [
        'Authorization: Bearer ' . getenv('TOKEN'),
        'Content-Type: application/json',
    ],
    CURLOPT_RETURNTRANSFER => true,
]);
$shortest = (int) (1e6 * (float) getenv('SHORTEST_PAUSE'));
$longest = (int) (1e6 * (float) getenv('LONGEST_PAUSE'));
$sends = (int) getenv('SENDS');
for ($i = 0; $i < $sends; $i++) {
    if (curl_exec($curl) === false) {
        echo 'lost: ', curl_error($curl), "\n";
    } else {
        echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\n";
    }
    if ($i < $sends - 1) {
        usleep(random_int($shortest, $longest));
    }
}
